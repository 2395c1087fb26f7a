import { z } from 'zod';

const rate = z.number().nonnegative();

/**
 * US dollars for a million tokens, as the user names them. A class that is absent is counted at the most that it is known to
 * cost: 1.25 and 2 times the input for writing to the cache for five minutes and an hour, and the input for reading from it.
 */
export const priceEntrySchema = z.strictObject({
  input: rate,
  output: rate,
  cacheWrite5m: rate.optional(),
  cacheWrite1h: rate.optional(),
  cacheRead: rate.optional(),
});
export type PriceEntry = z.infer<typeof priceEntrySchema>;

/** By the name of a model, in which `*` stands for anything. They come before the public prices, and the longest match counts. */
export const ownPricesSchema = z.record(z.string().min(1).max(200), priceEntrySchema);
export type OwnPrices = z.infer<typeof ownPricesSchema>;
