import type { ModelTokens } from '../../../domain/model-call.ts';
import type { FailureHead, Problem, Route, Wire } from '../wire.ts';
import { answerReader, type Reading } from './answer-reader.ts';
import { CREDENTIAL_HEADERS, tokenIn } from './credential-headers.ts';
import { failureHead } from './failure-head.ts';
import { count, fields, jsonLength, lengthOf, list, text } from './fields.ts';
import type { Sight } from './sight.ts';
import { tierIn } from './tier.ts';

/** With these, a request would count as one of another method than was looked at, or its answer could not be counted: parts of it only, or coded. */
const NOT_AS_LOOKED_AT: readonly string[] = [
  'x-http-method-override',
  'x-goog-fieldmask',
  'x-goog-encode-response-if-executable',
  'x-goog-safety-encoding',
];

/**
 * Gemini: https://ai.google.dev/api/generate-content, with `UsageMetadata` there. The model is named in the path. A stream is a list of answers,
 * each with a piece: as events with `alt=sse`, else as one array of JSON. None is marked as the last one; the last piece says why it ended. Errors
 * are https://cloud.google.com/apis/design/errors.
 */
export const gemini: Wire = {
  api: 'gemini',
  route,
  modelOf: () => undefined,
  // https://ai.google.dev/gemini-api/docs/priority-inference; what was given is said in a header, and may be less.
  tierOf: (body) => tierIn(fields(body)['serviceTier'] ?? fields(body)['service_tier']),
  tokenOf: (headers) => tokenIn(headers, 'x-goog-api-key'),
  credentialHeaders: [...CREDENTIAL_HEADERS, ...NOT_AS_LOOKED_AT],
  credential: (key) => ({ 'x-goog-api-key': key }),
  reader: () => answerReader((sight) => new ContentReading(sight)),
  failure,
  failureHead: head,
};

const MODELS = /^(?:\/v1(?:beta|alpha)?)?\/models(?:\/([\w-][\w.-]*)(?::([a-zA-Z]+))?)?$/;

function route(method: string, path: string): Route | undefined {
  const [whole, model, action] = MODELS.exec(path) ?? [];
  if (whole === undefined) return undefined;
  if (method === 'GET' && action === undefined) return { kind: 'free' };
  if (method !== 'POST' || model === undefined) return undefined;
  if (action === 'generateContent' || action === 'streamGenerateContent') return { kind: 'call', model };
  return action === 'countTokens' ? { kind: 'free' } : undefined;
}

/** Gemini CLI tries every 429 again but one, whose message it does not show. */
function head(problem: Problem): FailureHead {
  return failureHead(problem, { limit: 402, quota: 402 });
}

function failure(problem: Problem): Readonly<Record<string, unknown>> {
  return { error: { code: head(problem).status, message: problem.message, status: STATUSES[problem.kind] } };
}

const STATUSES: Readonly<Record<Problem['kind'], string>> = {
  auth: 'UNAUTHENTICATED',
  refused: 'PERMISSION_DENIED',
  'too-large': 'INVALID_ARGUMENT',
  limit: 'FAILED_PRECONDITION',
  quota: 'FAILED_PRECONDITION',
  'rate-limit': 'RESOURCE_EXHAUSTED',
  unreachable: 'UNAVAILABLE',
};

class ContentReading implements Reading {
  readonly #sight: Sight;
  readonly #counts = new Map<string, number>();

  constructor(sight: Sight) {
    this.#sight = sight;
  }

  event(data: string): void {
    this.body(JSON.parse(data));
  }

  body(value: unknown): void {
    for (const piece of Array.isArray(value) ? value : [value]) this.#piece(fields(piece));
  }

  #piece(piece: Readonly<Record<string, unknown>>): void {
    this.#sight.named(piece['modelVersion']);
    for (const candidate of list(piece['candidates']).map(fields)) {
      for (const part of list(fields(candidate['content'])['parts'])) this.#sight.produced += partLength(fields(part));
      this.#sight.isWhole ||= text(candidate['finishReason']) !== undefined;
    }
    this.#sight.isWhole ||= text(fields(piece['promptFeedback'])['blockReason']) !== undefined;
    this.#used(fields(piece['usageMetadata']));
    const { error } = piece;
    if (error === undefined || error === null) return;
    const { status, message } = fields(error);
    this.#sight.failed({ type: status, message });
  }

  /** Each piece says what was used until then; some leave out what has not changed. */
  #used(usage: Readonly<Record<string, unknown>>): void {
    for (const name of COUNTS) {
      const said = count(usage[name]);
      if (said !== undefined) this.#counts.set(name, said);
    }
    if (this.#counts.size > 0) this.#sight.tokens = this.#tokens();
    this.#sight.served(usage['serviceTier']);
  }

  /** What tools of the server have put in counts apart from the prompt, and thoughts apart from the candidates. */
  #tokens(): ModelTokens {
    const [prompt = 0, cached = 0, tools = 0, candidates = 0, thoughts = 0] = COUNTS.map((name) =>
      this.#counts.get(name),
    );
    return { input: prompt + tools, cached, cacheWrite: 0, output: candidates + thoughts, reasoning: thoughts };
  }
}

const COUNTS = [
  'promptTokenCount',
  'cachedContentTokenCount',
  'toolUsePromptTokenCount',
  'candidatesTokenCount',
  'thoughtsTokenCount',
] as const;

function partLength(part: Readonly<Record<string, unknown>>): number {
  const call = fields(part['functionCall']);
  return (
    lengthOf(part['text']) +
    lengthOf(call['name']) +
    jsonLength(call['args']) +
    lengthOf(fields(part['executableCode'])['code'])
  );
}
