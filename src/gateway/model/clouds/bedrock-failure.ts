import { tryJson } from '../../../lib/try-json.ts';
import type { CarriedFailure } from '../carrier.ts';
import type { ReadFailure } from '../upstream-failure-answer.ts';
import { header } from '../upstream-failure-waits.ts';
import { fields, text } from '../wires/fields.ts';

/**
 * Bedrock's errors: https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html. Their type is in `x-amzn-errortype`, with an
 * address behind a colon, or in the body. Quotas are by the minute, except for those that say `per day`; when they are there again it does not say.
 */
export const bedrockSaid: ReadFailure = ({ status, headers, body }) => {
  const type = bedrockType({ status, headers, body });
  const message = bedrockMessage(body) ?? '';
  if (type === 'ServiceQuotaExceededException' || (status === 429 && /\bper (?:day|month)\b/i.test(message))) {
    return { kind: 'quota' };
  }
  if (IDENTITY.has(type) || status === 403) return { kind: 'auth' };
  return BUSY.has(type) ? { kind: 'overloaded' } : {};
};

/** Whatever it says to these holds the request that was signed, so that none of it is passed on. */
const IDENTITY: ReadonlySet<string> = new Set([
  'AccessDeniedException',
  'ExpiredTokenException',
  'IncompleteSignature',
  'IncompleteSignatureException',
  'InvalidClientTokenId',
  'InvalidSignatureException',
  'MissingAuthenticationToken',
  'MissingAuthenticationTokenException',
  'NotAuthorized',
  'OptInRequired',
  'RequestExpired',
  'SignatureDoesNotMatch',
  'UnrecognizedClientException',
]);
const BUSY: ReadonlySet<string> = new Set(['ModelNotReadyException', 'ServiceUnavailableException']);

export function bedrockType({ headers, body }: CarriedFailure): string {
  const { __type, code } = fields(tryJson(body));
  const type = header(headers, 'x-amzn-errortype') ?? text(__type) ?? text(code) ?? '';
  return type.split(':')[0]?.split('#').at(-1) ?? '';
}

export function bedrockMessage(body: string): string | undefined {
  const { message, Message } = fields(tryJson(body));
  return text(message) ?? text(Message);
}

/** The statuses of what may come within a stream: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ResponseStream.html. */
export function statusOf(type: string): number {
  return STATUSES[type.toLowerCase()] ?? 500;
}

const STATUSES: Readonly<Record<string, number>> = {
  internalserverexception: 500,
  modelstreamerrorexception: 424,
  modeltimeoutexception: 408,
  serviceunavailableexception: 503,
  throttlingexception: 429,
  validationexception: 400,
};
