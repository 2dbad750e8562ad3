import { z } from 'zod';

const Dollars = z.number().nonnegative();

/** US dollars per million tokens. What has no price of its own costs what other input does. */
export const Rates = z.strictObject({
  input: Dollars.describe('What is read'),
  cached: Dollars.describe('What is read out of a cache').optional(),
  cacheWrite: Dollars.describe('What is read and put into a cache').optional(),
  output: Dollars.describe('What is produced, reasoning included'),
});
export type Rates = z.infer<typeof Rates>;

/** Prices as a provider publishes them. */
export const PublishedPrices = z.strictObject({
  prices: z.array(
    Rates.extend({
      /** The ids of all that cost this. */
      models: z.array(z.string().min(1)).min(1),
      /** Where more is asked for all tokens of a request that reads more than so many: from the least to the most. */
      above: z.array(Rates.extend({ tokens: z.int().positive() })).default([]),
      /** The day on which it was read. */
      date: z.iso.date(),
      /** The address of the provider's price page. */
      source: z.url(),
    }),
  ),
});
