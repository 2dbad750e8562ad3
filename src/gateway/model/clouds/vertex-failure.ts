import { tryJson } from '../../../lib/try-json.ts';
import type { ReadFailure } from '../upstream-failure-answer.ts';
import { anthropicSaid } from '../upstream-failure-anthropic.ts';
import { geminiSaid } from '../upstream-failure-gemini.ts';
import { fields, text } from '../wires/fields.ts';

/**
 * Vertex AI's errors: Google's own, such as `RESOURCE_EXHAUSTED` for quotas (https://cloud.google.com/vertex-ai/generative-ai/docs/error-code-429), which are
 * by the minute unless their name says otherwise; and Anthropic's, passed through.
 */
export const vertexSaid: ReadFailure = (answer, body) => {
  const said = fields(body)['type'] === 'error' ? anthropicSaid(answer, body) : geminiSaid(answer, body);
  if (said.kind !== undefined) return said;
  if (answer.status === 429 && /_per_day\b|\bper day\b/i.test(vertexMessage(answer.body) ?? '')) {
    return { ...said, kind: 'quota' };
  }
  // Whatever else may be said to an identity is about what it may not do.
  return answer.status === 403 ? { ...said, kind: 'auth' } : said;
};

/** Some of its errors are in a list. */
export function vertexMessage(body: string): string | undefined {
  const value = tryJson(body);
  return text(fields(fields(Array.isArray(value) ? value[0] : value)['error'])['message']);
}
