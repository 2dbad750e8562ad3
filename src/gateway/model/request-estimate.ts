import type { ModelApi, ModelTokens } from '../../domain/model-call.ts';
import { type Fields, fields, list, text } from './wires/fields.ts';

/** What a request has its model read, in tokens, as far as the request alone tells; only for what nobody has counted better. */
export interface RequestEstimate {
  readonly input: number;
  /** The part of it that probably comes out of a cache. */
  readonly cached: number;
}

export const NO_REQUEST: RequestEstimate = { input: 0, cached: 0 };

/** Of text in the languages and codes that models read and write. */
export const CHARACTERS_PER_TOKEN = 4;

/**
 * Estimates by length: `bytes` is how long the body is, not compressed. Pictures, documents and sealed thoughts are not read by the letter:
 * of those, the length says little. In a conversation that goes on, all up to the model's last turn may come out of a cache, but no more than
 * `readBefore`, the tokens that the cache may have.
 */
export function estimateOf(
  body: Fields,
  { bytes, readBefore }: { readonly bytes: number; readonly readBefore: number },
): RequestEstimate {
  const input = tokensIn(bytes - measure(body).unread);
  const last = latest(body);
  if (last === undefined) return { input, cached: 0 };
  const { length, unread } = measure(last);
  return { input, cached: Math.max(0, Math.min(readBefore, input - tokensIn(length - unread))) };
}

/** What the upstream has in its caches of the requests of one way, by what it has said. */
export class ReadBefore {
  readonly #most = new Map<string, number>();

  /** The tokens are those that the upstream has said. */
  note(api: ModelApi, model: string | undefined, { input, cached, cacheWrite }: ModelTokens): void {
    // Anthropic keeps what it is asked to keep, and says so; others keep what they like.
    const kept = api === 'anthropic' ? cached + cacheWrite : input;
    this.#most.set(model ?? '', Math.max(kept, this.of(model)));
  }

  of(model: string | undefined): number {
    return this.#most.get(model ?? '') ?? 0;
  }
}

const tokensIn = (bytes: number): number => Math.ceil(Math.max(0, bytes) / CHARACTERS_PER_TOKEN);

/** What has come after the model's last turn; undefined where there is none. */
function latest(body: Fields): readonly unknown[] | undefined {
  const turns = [body['messages'], body['input'], body['contents']].map(list).find(({ length }) => length > 0) ?? [];
  const last = turns.findLastIndex(isOfModel);
  return last === -1 ? undefined : turns.slice(last + 1);
}

function isOfModel(turn: unknown): boolean {
  const { role, type } = fields(turn);
  return role === 'assistant' || role === 'model' || /(?:^reasoning|_call)$/.test(text(type) ?? '');
}

interface Measured {
  /** Bytes of the value as JSON. */
  readonly length: number;
  /** How many of them count for nothing. */
  readonly unread: number;
}

/** Without recursion: whoever wrote the value may have nested it as deeply as they like. */
function measure(root: object): Measured {
  let [length, unread] = [0, 0];
  const left = [{ holder: root, isSearched: true }];
  const measured = (value: unknown, isSearched: boolean): void => {
    if (typeof value === 'object' && value !== null) left.push({ holder: value, isSearched });
    else length += typeof value === 'string' ? Buffer.byteLength(value) + 2 : String(value).length;
  };
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const { holder, isSearched } = next;
    length += 2;
    if (Array.isArray(holder)) {
      length += Math.max(0, holder.length - 1);
      for (const item of holder as readonly unknown[]) measured(item, isSearched);
      continue;
    }
    const named = fields(holder);
    let separators = -1;
    for (const name in named) {
      const value = named[name];
      separators += 1;
      length += Buffer.byteLength(name) + 3;
      if (isSearched && typeof value === 'string') unread += unreadIn(name, value, named);
      measured(value, isSearched && !isOfTool(name, named));
    }
    length += Math.max(0, separators);
  }
  return { length, unread };
}

/** What tools are called with, and answer, may have fields of any name: the model reads them as they are. */
function isOfTool(name: string, holder: Fields): boolean {
  return OF_TOOLS.has(name) || (name === 'input' && text(holder['type']) !== undefined);
}

const OF_TOOLS: ReadonlySet<string> = new Set(['tools', 'args', 'arguments', 'response']);

/** How many bytes of a text count for nothing. */
function unreadIn(name: string, value: string, holder: Fields): number {
  if (SEALED.has(name) || (name === 'data' && holder['type'] === 'redacted_thinking'))
    return value.length - Math.max(0, Math.ceil((value.length * 3) / 4) - SEAL);
  const type = mediaType(name, value, holder);
  if (type === undefined) return 0;
  const worth = type.startsWith('image/') ? PICTURE * CHARACTERS_PER_TOKEN : Math.ceil(value.length / SPARSENESS);
  return Math.max(0, value.length - worth);
}

/** Thoughts of the model that only its provider can open, in base64, and how much of them is the seal. */
const SEALED: ReadonlySet<string> = new Set([
  'encrypted_content',
  'signature',
  'thoughtSignature',
  'thought_signature',
]);
const SEAL = 650;
/** Tokens that models make of a picture: they make a large one smaller first. */
const PICTURE = 1_600;
/** How many times more bytes than text documents and sounds have, in base64, for the same tokens. */
const SPARSENESS = 16;

/** Of what a text in base64 is; undefined for a text that is one. */
function mediaType(name: string, value: string, holder: Fields): string | undefined {
  if (IN_ADDRESSES.has(name)) return /^data:([\w.+-]+\/[\w.+-]+)(?:;[^,;]{1,100})*;base64,/.exec(value)?.[1];
  if (name === 'result' && holder['type'] === 'image_generation_call') return 'image/*';
  if (name !== 'data') return undefined;
  const type = text(holder['media_type']) ?? text(holder['mimeType']) ?? text(holder['mime_type']);
  return type ?? (text(holder['format']) === undefined ? undefined : 'audio/*');
}

const IN_ADDRESSES: ReadonlySet<string> = new Set(['image_url', 'url', 'file_data']);
