import { fields, text } from '../wires/fields.ts';
import { bedrockMessage, statusOf } from './bedrock-failure.ts';
import { framesOf } from './frames.ts';
import { messagesError } from './messages-failure.ts';

/** What a message of a stream says. */
export type StreamPart =
  /** One event of the Messages protocol, as JSON. */
  | { readonly kind: 'event'; readonly type: string; readonly data: string }
  /** The stream's last word. */
  | { readonly kind: 'failure'; readonly type: string; readonly message: string };

/**
 * Reads a stream of `InvokeModelWithResponseStream`, whose messages hold one event each; for every piece that comes, all parts that it completes. Throws for
 * a message that has changed on its way, and for a stream that breaks off, after what came before.
 */
export async function* partsOf(
  pieces: AsyncIterable<Uint8Array>,
): AsyncGenerator<readonly StreamPart[], void, undefined> {
  const { EventStreamCodec } = await import('@smithy/core/event-streams');
  const codec = new EventStreamCodec(
    (bytes) => (typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString()),
    (value) => Buffer.from(value),
  );
  for await (const frames of framesOf(pieces)) {
    const parts: StreamPart[] = [];
    let broken: { readonly error: unknown } | undefined;
    try {
      for (const frame of frames) {
        const { headers, body } = codec.decode(frame);
        const named = (name: string) => text(headers[name]?.value);
        parts.push(...partOf(named, Buffer.from(body.buffer, body.byteOffset, body.length).toString()));
      }
    } catch (error) {
      broken = { error };
    }
    if (parts.length > 0) yield parts;
    if (broken !== undefined) throw broken.error;
  }
}

function partOf(named: (name: string) => string | undefined, body: string): StreamPart[] {
  if (named(':message-type') === 'exception') {
    return [{ kind: 'failure', type: named(':exception-type') ?? '', message: bedrockMessage(body) ?? '' }];
  }
  if (named(':message-type') === 'error') {
    return [{ kind: 'failure', type: named(':error-code') ?? '', message: named(':error-message') ?? '' }];
  }
  if (named(':event-type') !== 'chunk') return [];
  const chunk: unknown = JSON.parse(body);
  const bytes = text(fields(chunk)['bytes']);
  // Some servers that stand in for Bedrock put the event there as it is.
  const event: unknown = bytes === undefined ? chunk : JSON.parse(Buffer.from(bytes, 'base64').toString());
  const type = text(fields(event)['type']);
  return type === undefined ? [] : [{ kind: 'event', type, data: JSON.stringify(event) }];
}

/** The parts as server-sent events of the Messages protocol. */
export function serverSent(parts: readonly StreamPart[]): Buffer {
  const events = parts.map((part) => {
    if (part.kind === 'event') return `event: ${part.type}\ndata: ${part.data}\n\n`;
    const error = messagesError(statusOf(part.type), part.message || part.type);
    return `event: error\ndata: ${JSON.stringify(error)}\n\n`;
  });
  return Buffer.from(events.join(''));
}
