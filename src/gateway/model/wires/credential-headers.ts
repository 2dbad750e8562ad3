import type { IncomingHttpHeaders } from 'node:http';

/**
 * In lower case, every header in which one of the providers takes a credential, or is told for whom a request is: what an agent says there is
 * nothing to any of them.
 */
export const CREDENTIAL_HEADERS: readonly string[] = [
  'authorization',
  'proxy-authorization',
  'cookie',
  'x-api-key',
  'api-key',
  'openai-organization',
  'openai-project',
  'chatgpt-account-id',
  'x-openai-actor-authorization',
  'x-goog-api-key',
  'x-goog-user-project',
  'x-goog-iam-authority-selector',
  'x-goog-iam-authorization-token',
  'x-amz-security-token',
  'from',
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-user',
  'x-real-ip',
];

/** The token in `Authorization: Bearer …` or in the protocol's own header. Undefined without any, with two that differ, and with what is no such token. */
export function tokenIn(headers: IncomingHttpHeaders, own?: string): string | undefined {
  const given = [bearerIn(headers.authorization), own === undefined ? undefined : headers[own]];
  const [token, ...others] = new Set(given.filter((value) => value !== undefined));
  return typeof token === 'string' && /^[!-~]+$/.test(token) && others.length === 0 ? token : undefined;
}

/** A header of another scheme counts as a token that is none. */
function bearerIn(authorization: string | undefined): string | undefined {
  return authorization === undefined ? undefined : (/^bearer +([!-~]+) *$/i.exec(authorization)?.[1] ?? '');
}
