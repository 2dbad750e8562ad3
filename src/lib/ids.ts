import { randomBytes } from 'node:crypto';

/** Makes names that nobody has used. Passed in so that a test can own them. */
export type Ids = () => string;

const ALPHABET = 'abcdefghijkmnpqrstuvwxyz23456789';

/** 60 random bits as 12 letters and digits without look-alikes, beginning with a letter: `k7mzq2xw9fhd`. */
export const randomIds: Ids = () => {
  for (;;) {
    const id = [...randomBytes(12)].map((byte) => ALPHABET[byte & 31]).join('');
    if (/^[a-z]/.test(id)) return id;
  }
};
