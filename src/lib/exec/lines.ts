import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { redactNothing, type TextInPieces } from '../redact.ts';

export interface Line {
  readonly text: string;
  /** How many characters were cut off its end because it was longer than allowed; 0 for a whole line. */
  readonly cut: number;
}

/**
 * The lines of a stream, without their ends (`\n` or `\r\n`); a last line without an end counts. A line longer than `maxLength` is cut, so
 * that an endless line cannot fill the memory; reading only as fast as lines are taken keeps a flood in the pipe. A stream that breaks
 * ends the lines. What has to go out of the text goes before it is cut.
 */
export async function* linesOf(
  stream: Readable,
  maxLength = 4 * 1024 * 1024,
  redacted: TextInPieces = redactNothing.pieces(),
): AsyncGenerator<Line> {
  const pending = new PendingLine(maxLength);
  for await (const text of textOf(stream, redacted)) {
    const [first = '', ...others] = text.split('\n');
    pending.add(first);
    for (const part of others) {
      yield pending.take();
      pending.add(part);
    }
  }
  if (!pending.isEmpty) yield pending.take();
}

/** What of a line has come so far. */
class PendingLine {
  readonly #maxLength: number;
  #text = '';
  #cut = 0;

  constructor(maxLength: number) {
    this.#maxLength = maxLength;
  }

  get isEmpty(): boolean {
    return this.#text === '';
  }

  add(part: string): void {
    const kept = part.slice(0, this.#maxLength - this.#text.length);
    this.#text += kept;
    this.#cut += part.length - kept.length;
  }

  take(): Line {
    const line = { text: this.#text.endsWith('\r') ? this.#text.slice(0, -1) : this.#text, cut: this.#cut };
    this.#text = '';
    this.#cut = 0;
    return line;
  }
}

async function* textOf(stream: Readable, redacted: TextInPieces): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  for await (const chunk of chunksOf(stream)) yield redacted.add(decoder.write(chunk));
  yield redacted.add(decoder.end()) + redacted.end();
}

async function* chunksOf(stream: Readable): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of stream) yield chunk as Buffer;
  } catch {
    // The stream was torn down under us: what came is all there is, and how the program ended is told elsewhere.
  }
}
