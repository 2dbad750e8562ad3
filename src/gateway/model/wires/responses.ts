import type { Route, Wire } from '../wire.ts';
import { answerReader, type Reading } from './answer-reader.ts';
import { CREDENTIAL_HEADERS, tokenIn } from './credential-headers.ts';
import { failureHead } from './failure-head.ts';
import { fields, lengthOf, list, text } from './fields.ts';
import { stringLength } from './json-string.ts';
import { openaiFailure } from './openai-failure.ts';
import { openaiTokens } from './openai-usage.ts';
import type { Sight } from './sight.ts';
import { tierIn } from './tier.ts';

/**
 * OpenAI's Responses: https://platform.openai.com/docs/api-reference/responses, as a stream
 * https://platform.openai.com/docs/api-reference/responses-streaming. A stream ends with `response.completed`, `.incomplete` or `.failed`, each of
 * which has the whole answer again and what it used; or with `error`. Pieces come in events named `….delta`, and once more, whole, in `….done`.
 * Compaction answers with an object that has `usage`, too.
 */
export const responses: Wire = {
  api: 'responses',
  route,
  modelOf: (body) => text(fields(body)['model']),
  // https://platform.openai.com/docs/guides/priority-processing
  tierOf: (body) => tierIn(fields(body)['service_tier']),
  tokenOf: (headers) => tokenIn(headers),
  credentialHeaders: CREDENTIAL_HEADERS,
  credential: (key) => ({ authorization: `Bearer ${key}` }),
  reader: () => answerReader((sight) => new ResponseReading(sight)),
  failure: openaiFailure,
  // Codex tries everything again but this, and says nothing of a 429's message.
  failureHead: (problem) => failureHead(problem, { auth: 400, refused: 400, 'too-large': 400, limit: 400, quota: 400 }),
};

function route(method: string, path: string): Route | undefined {
  if (method === 'POST' && (path === '/responses' || path === '/responses/compact')) return { kind: 'call' };
  if (method === 'GET' && /^\/models(?:\/[\w-][\w.:-]*)?$/.test(path)) return { kind: 'free' };
  return undefined;
}

const TYPE = /^\{"type": ?"([\w.]+)"/;
const DELTA = /"delta": ?"/;

class ResponseReading implements Reading {
  readonly #sight: Sight;
  /** Whether pieces have come of the item that is being made. */
  #hasDeltas = false;

  constructor(sight: Sight) {
    this.#sight = sight;
  }

  event(data: string): void {
    const type = TYPE.exec(data)?.[1];
    if (type !== undefined && isRepetition(type)) return;
    if (type?.endsWith('.delta')) {
      const start = DELTA.exec(data);
      const length = start === null ? undefined : stringLength(data, start.index + start[0].length);
      if (length !== undefined) return this.#delta(type, length);
    }
    this.#parsed(fields(JSON.parse(data)));
  }

  body(value: unknown): void {
    const response = fields(value);
    this.#began(response);
    for (const item of list(response['output'])) this.#item(item);
    this.#ended(response);
  }

  #parsed(event: Readonly<Record<string, unknown>>): void {
    const type = text(event['type']) ?? '';
    switch (type) {
      case 'response.created':
        return this.#began(fields(event['response']));
      case 'response.output_item.added':
        this.#hasDeltas = false;
        return;
      case 'response.output_item.done':
        // Some servers send no pieces. How the item is named comes in no piece anyway.
        if (this.#hasDeltas) this.#sight.produced += lengthOf(fields(event['item'])['name']);
        else this.#item(event['item']);
        this.#hasDeltas = false;
        return;
      case 'response.completed':
      case 'response.incomplete':
      case 'response.failed':
        this.#began(fields(event['response']));
        return this.#ended(fields(event['response']), type);
      case 'error':
        return this.#failed(event['error'] ?? event);
    }
    if (type.endsWith('.delta')) this.#delta(type, lengthOf(event['delta']));
  }

  #began(response: Readonly<Record<string, unknown>>): void {
    this.#sight.named(response['model']);
    this.#sight.served(response['service_tier']);
  }

  #delta(type: string, length: number): void {
    // Not of characters, but of sounds.
    if (type === 'response.audio.delta') return;
    this.#sight.produced += length;
    this.#hasDeltas = true;
  }

  #item(value: unknown): void {
    const item = fields(value);
    const parts = [...list(item['content']), ...list(item['summary'])].map(fields);
    const texts = parts.map((part) => lengthOf(part['text']) + lengthOf(part['refusal']));
    this.#sight.produced +=
      texts.reduce((sum, length) => sum + length, 0) +
      lengthOf(item['name']) +
      lengthOf(item['arguments']) +
      lengthOf(item['input']);
  }

  /** A failed one often does not say what it used. */
  #ended(response: Readonly<Record<string, unknown>>, type?: string): void {
    const tokens = openaiTokens(response['usage']);
    this.#sight.tokens = tokens ?? this.#sight.tokens;
    const { error } = response;
    const hasFailed = type === 'response.failed' || (error !== undefined && error !== null);
    if (hasFailed) this.#failed(error);
    this.#sight.isWhole ||= !hasFailed || tokens !== undefined;
  }

  #failed(error: unknown): void {
    const { code, type, message } = fields(error);
    this.#sight.failed({ type: code ?? type, message });
  }
}

/** An event that says once more, or with everything that was sent, what others say. */
function isRepetition(type: string): boolean {
  return (type.endsWith('.done') && type !== 'response.output_item.done') || type === 'response.in_progress';
}
