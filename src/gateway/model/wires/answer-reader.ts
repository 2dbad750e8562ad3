import type { AnswerReader, Seen } from '../wire.ts';
import { EventStream } from './event-stream.ts';
import { JsonBody } from './json-body.ts';
import { Sight } from './sight.ts';

/** How a protocol's answers are read; made anew for each, to keep what it needs between events. What it throws is not heard of. */
export interface Reading {
  /** The data of one event of a stream. */
  event(data: string): void;
  /** A whole answer that is no stream. */
  body(value: unknown): void;
}

/** Of one event, or of an answer that is no stream: what is longer is not read. */
const MOST_HELD = 4 * 2 ** 20;

/**
 * Reads an answer of a protocol. Whether it is a stream is told by how it begins, since not all servers say so rightly: JSON with a bracket,
 * events never.
 */
export function answerReader(begin: (sight: Sight) => Reading, most: number = MOST_HELD): AnswerReader {
  return new BeginningReader(begin, most);
}

class BeginningReader implements AnswerReader {
  readonly #sight = new Sight();
  readonly #reading: Reading;
  readonly #most: number;
  #take: ((chunk: Uint8Array) => void) | undefined;

  constructor(begin: (sight: Sight) => Reading, most: number) {
    this.#reading = begin(this.#sight);
    this.#most = most;
  }

  take(chunk: Uint8Array): void {
    if (this.#take !== undefined) return this.#take(chunk);
    const start = chunk.findIndex((byte) => !IGNORED.has(byte));
    if (start === -1) return;
    this.#take = this.#reader(chunk[start] ?? 0);
    this.#take(chunk.subarray(start));
  }

  get seen(): Seen {
    return this.#sight.seen;
  }

  #reader(first: number): (chunk: Uint8Array) => void {
    if (BRACKETS.has(first)) return this.#body();
    if (FIRST_OF_EVENTS.has(first)) return this.#events();
    // Of another kind, or compressed: all that can be known of it is how long it is.
    return (chunk) => {
      this.#sight.produced += chunk.length;
    };
  }

  #events(): (chunk: Uint8Array) => void {
    const stream = new EventStream((data) => this.#read(() => this.#reading.event(data)), this.#most);
    return (chunk) => stream.take(chunk);
  }

  /** Such an answer has been produced as a whole when its first byte comes. Until the last one has, its length is all that is known. */
  #body(): (chunk: Uint8Array) => void {
    const body = new JsonBody((value) => {
      this.#sight.produced = 0;
      this.#sight.isWhole = true;
      this.#read(() => this.#reading.body(value));
    }, this.#most);
    return (chunk) => {
      if (!this.#sight.isWhole) this.#sight.produced += chunk.length;
      body.take(chunk);
    };
  }

  #read(how: () => void): void {
    try {
      how();
    } catch {
      // Whatever an upstream may send that nobody has thought of: it is not known, and the answer goes on.
    }
  }
}

/** White space, and the mark of a byte order. */
const IGNORED: ReadonlySet<number> = new Set([0x09, 0x0a, 0x0d, 0x20, 0xef, 0xbb, 0xbf]);
const BRACKETS: ReadonlySet<number> = new Set([0x5b, 0x7b]);
/** A line of a stream is a comment, or begins with `data`, `event`, `id` or `retry`. A page that a proxy shows begins with `<`, and is nothing. */
const FIRST_OF_EVENTS: ReadonlySet<number> = new Set(Buffer.from(':deir<'));
