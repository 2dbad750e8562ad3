import { randomBytes, timingSafeEqual } from 'node:crypto';

const BYTES = 32;

/** A new token of one attempt. It looks like no provider's key. */
export function newToken(): string {
  return `switchyard-${randomBytes(BYTES).toString('base64url')}`;
}

/** Whether it is the token, in a time that does not tell how much of it is right. */
export function isToken(given: string | undefined, token: string): boolean {
  const [theirs, ours] = [Buffer.from(given ?? ''), Buffer.from(token)];
  return theirs.length === ours.length && timingSafeEqual(theirs, ours);
}
