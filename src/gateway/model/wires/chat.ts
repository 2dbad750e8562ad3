import type { Route, Wire } from '../wire.ts';
import { answerReader, type Reading } from './answer-reader.ts';
import { CREDENTIAL_HEADERS, tokenIn } from './credential-headers.ts';
import { END } from './event-stream.ts';
import { failureHead } from './failure-head.ts';
import { fields, lengthOf, list, text } from './fields.ts';
import { openaiFailure } from './openai-failure.ts';
import { openaiTokens } from './openai-usage.ts';
import type { Sight } from './sight.ts';
import { tierIn } from './tier.ts';

/**
 * OpenAI's Chat Completions, which many others speak: https://platform.openai.com/docs/api-reference/chat, as a stream
 * https://platform.openai.com/docs/api-reference/chat-streaming. A stream ends with `data: [DONE]`. What was used comes before it, in a piece
 * without choices, and only where `stream_options.include_usage` asked for it; some servers say it in every piece, or beside a choice.
 */
export const chat: Wire = {
  api: 'chat',
  route,
  modelOf: (body) => text(fields(body)['model']),
  // https://platform.openai.com/docs/guides/priority-processing
  tierOf: (body) => tierIn(fields(body)['service_tier']),
  tokenOf: (headers) => tokenIn(headers),
  credentialHeaders: CREDENTIAL_HEADERS,
  credential: (key) => ({ authorization: `Bearer ${key}` }),
  askingForUsage,
  reader: () => answerReader((sight) => new CompletionReading(sight)),
  failure: openaiFailure,
  failureHead: (problem) => failureHead(problem, { refused: 405, limit: 402, quota: 402 }),
};

function route(method: string, path: string): Route | undefined {
  if (method === 'POST' && path === '/chat/completions') return { kind: 'call' };
  if (method === 'GET' && /^\/models(?:\/[\w-][\w.:-]*){0,2}$/.test(path)) return { kind: 'free' };
  return undefined;
}

function askingForUsage(body: Readonly<Record<string, unknown>>): Record<string, unknown> | undefined {
  const options = fields(body['stream_options']);
  if (body['stream'] !== true || options['include_usage'] === true) return undefined;
  return { ...body, stream_options: { ...options, include_usage: true } };
}

class CompletionReading implements Reading {
  readonly #sight: Sight;
  #hasFinished = false;

  constructor(sight: Sight) {
    this.#sight = sight;
  }

  event(data: string): void {
    if (data === END) this.#sight.isWhole = true;
    else this.body(JSON.parse(data));
  }

  /** A piece of an answer, or a whole one. */
  body(value: unknown): void {
    const piece = fields(value);
    this.#sight.named(piece['model']);
    this.#sight.served(piece['service_tier']);
    const choices = list(piece['choices']).map(fields);
    for (const choice of choices) this.#choice(choice);
    this.#used(piece['usage'] ?? choices.find((choice) => choice['usage'])?.['usage']);
    const { error } = piece;
    if (error === undefined || error === null) return;
    const { code, type, message } = fields(error);
    this.#sight.failed({ type: text(code) ?? type, message: message ?? error });
  }

  #choice(choice: Readonly<Record<string, unknown>>): void {
    const said = fields(choice['delta'] ?? choice['message']);
    this.#sight.produced +=
      contentLength(said['content']) +
      lengthOf(said['refusal']) +
      lengthOf(said['reasoning_content'] ?? said['reasoning'] ?? said['reasoning_text']) +
      callLength(said['function_call']);
    for (const call of list(said['tool_calls']).map(fields)) {
      this.#sight.produced += callLength(call['function']) + callLength(call['custom']);
    }
    this.#hasFinished ||= text(choice['finish_reason']) !== undefined;
  }

  #used(usage: unknown): void {
    const tokens = openaiTokens(usage);
    if (tokens === undefined) return;
    this.#sight.tokens = tokens;
    // Not all servers send the last line.
    this.#sight.isWhole ||= this.#hasFinished;
  }
}

function contentLength(content: unknown): number {
  if (typeof content === 'string') return content.length;
  return list(content).reduce<number>((sum, part) => sum + lengthOf(fields(part)['text']), 0);
}

function callLength(value: unknown): number {
  const call = fields(value);
  return lengthOf(call['name']) + lengthOf(call['arguments']) + lengthOf(call['input']);
}
