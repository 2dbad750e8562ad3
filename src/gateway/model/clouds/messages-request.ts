import type { IncomingHttpHeaders } from 'node:http';
import type { ModelCloud } from '../../../domain/model-cloud.ts';
import { text } from '../wires/fields.ts';

/** What a request of the Messages protocol is for; undefined for what no cloud has. */
export function purposeOf(path: string): 'message' | 'count' | undefined {
  if (/^(?:\/v1)?\/messages$/.test(path)) return 'message';
  return /^(?:\/v1)?\/messages\/count_tokens$/.test(path) ? 'count' : undefined;
}

/** The cloud's name for the model that a body asks for; undefined for one that is none, such as what would lead to another path. */
export function modelAt({ models = {} }: ModelCloud, body: Readonly<Record<string, unknown>>): string | undefined {
  const asked = text(body['model']) ?? '';
  const name = (Object.hasOwn(models, asked) ? models[asked] : undefined) ?? asked;
  return /^\w/.test(name) ? name : undefined;
}

/** Names of features that are not in the protocol for good, as the client lists them. */
export function betasIn(headers: IncomingHttpHeaders): string[] {
  const list = [headers['anthropic-beta'] ?? []].flat().join(',');
  return list.split(',').flatMap((name) => (/^[\w.:-]+$/.test(name.trim()) ? [name.trim()] : []));
}

/** An address below the endpoint's own. */
export function below(base: URL, path: string): URL {
  const url = new URL(base);
  url.pathname = `${base.pathname.replace(/\/+$/, '')}${path}`;
  return url;
}
