import type { Problem, Route, Wire } from '../wire.ts';
import { answerReader, type Reading } from './answer-reader.ts';
import { AnthropicUsage } from './anthropic-usage.ts';
import { CREDENTIAL_HEADERS, tokenIn } from './credential-headers.ts';
import { failureHead } from './failure-head.ts';
import { fields, jsonLength, lengthOf, list, text } from './fields.ts';
import { stringLength } from './json-string.ts';
import type { Sight } from './sight.ts';
import { tierIn } from './tier.ts';

/**
 * Anthropic's Messages: https://platform.claude.com/docs/en/api/messages, as a stream
 * https://platform.claude.com/docs/en/build-with-claude/streaming, its errors https://platform.claude.com/docs/en/api/errors. A stream begins with
 * `message_start` and ends with `message_stop`; `message_delta` before it says what was used, counted from the beginning. Clients add the version
 * to the base address, so that it is part of the path unless the address has it, too.
 */
export const anthropic: Wire = {
  api: 'anthropic',
  route,
  modelOf: (body) => text(fields(body)['model']),
  // What `service_tier` asks for there costs no more: https://platform.claude.com/docs/en/build-with-claude/fast-mode
  tierOf: (body) => tierIn(fields(body)['speed']),
  tokenOf: (headers) => tokenIn(headers, 'x-api-key'),
  credentialHeaders: CREDENTIAL_HEADERS,
  credential: (key, variable) => (BEARERS.has(variable) ? { authorization: `Bearer ${key}` } : { 'x-api-key': key }),
  reader: () => answerReader((sight) => new MessageReading(sight)),
  failure,
  // Claude Code takes 403 for a key that is not good, and every other 429 for one that is worth another try.
  failureHead: (problem) => failureHead(problem, { refused: 405, limit: 402, quota: 402 }),
};

/** Variables in which Claude Code looks for what goes into `Authorization`. */
const BEARERS: ReadonlySet<string> = new Set(['ANTHROPIC_AUTH_TOKEN', 'CLAUDE_CODE_OAUTH_TOKEN']);

function route(method: string, path: string): Route | undefined {
  if (method === 'POST' && /^(?:\/v1)?\/messages$/.test(path)) return { kind: 'call' };
  if (method === 'POST' && /^(?:\/v1)?\/messages\/count_tokens$/.test(path)) return { kind: 'free' };
  // Claude Code asks for the root to see whether somebody is there.
  if ((method === 'GET' || method === 'HEAD') && path === '/') return { kind: 'free' };
  if (method === 'GET' && /^(?:\/v1)?\/models(?:\/[\w-][\w.-]*)?$/.test(path)) return { kind: 'free' };
  return undefined;
}

function failure({ kind, message }: Problem): Readonly<Record<string, unknown>> {
  return { type: 'error', error: { type: TYPES[kind], message } };
}

const TYPES: Readonly<Record<Problem['kind'], string>> = {
  auth: 'authentication_error',
  refused: 'permission_error',
  'too-large': 'request_too_large',
  limit: 'billing_error',
  quota: 'billing_error',
  'rate-limit': 'rate_limit_error',
  unreachable: 'api_error',
};

/** What is most of a stream: a piece of text, of thoughts or of what a tool is called with. Only how long it is matters. */
const DELTA =
  /^\{"type": ?"content_block_delta", ?"index": ?\d+, ?"delta": ?\{"type": ?"(?:text|thinking|input_json)_delta", ?"(?:text|thinking|partial_json)": ?"/;

class MessageReading implements Reading {
  readonly #sight: Sight;
  readonly #usage = new AnthropicUsage();

  constructor(sight: Sight) {
    this.#sight = sight;
  }

  event(data: string): void {
    const delta = DELTA.exec(data)?.[0].length;
    const length = delta === undefined ? undefined : stringLength(data, delta);
    if (length === undefined) this.#parsed(fields(JSON.parse(data)));
    else this.#sight.produced += length;
  }

  body(value: unknown): void {
    const message = fields(value);
    if (message['type'] === 'error') return this.#failed(message['error']);
    this.#began(message);
    for (const block of list(message['content'])) this.#block(block);
  }

  #parsed(event: Readonly<Record<string, unknown>>): void {
    switch (event['type']) {
      case 'message_start':
        return this.#began(fields(event['message']));
      case 'content_block_start':
        return this.#block(event['content_block']);
      case 'content_block_delta': {
        const delta = fields(event['delta']);
        this.#sight.produced +=
          lengthOf(delta['text']) +
          lengthOf(delta['thinking']) +
          lengthOf(delta['partial_json']) +
          lengthOf(delta['content']);
        return;
      }
      case 'message_delta':
        return this.#used(event['usage']);
      case 'message_stop':
        this.#sight.isWhole = true;
        return;
      case 'error':
        return this.#failed(event['error']);
    }
  }

  #began(message: Readonly<Record<string, unknown>>): void {
    this.#sight.named(message['model']);
    this.#used(message['usage']);
  }

  #used(usage: unknown): void {
    this.#usage.add(usage);
    this.#sight.tokens = this.#usage.tokens;
    this.#sight.elsewhere = this.#usage.elsewhere;
    this.#sight.served(fields(usage)['speed']);
  }

  /** A block may begin with some of what is in it. Results of tools that the server runs itself are not the model's. */
  #block(value: unknown): void {
    const block = fields(value);
    if (!/^(?:text|thinking|compaction|(?:\w+_)?tool_use)$/.test(text(block['type']) ?? '')) return;
    const hasInput = Object.keys(fields(block['input'])).length > 0;
    this.#sight.produced +=
      lengthOf(block['text']) +
      lengthOf(block['thinking']) +
      lengthOf(block['content']) +
      lengthOf(block['name']) +
      (hasInput ? jsonLength(block['input']) : 0);
  }

  #failed(error: unknown): void {
    const { type, message } = fields(error);
    this.#sight.failed({ type, message });
  }
}
