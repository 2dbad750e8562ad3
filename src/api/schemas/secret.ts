import { z } from 'zod';
import { SecretName } from '../../domain/secret.ts';
import { AbsolutePath } from './absolute-path.ts';

// Secrets as they go over the wire: a value goes to the server, and never comes from it.

const Place = z.object({ id: z.string(), path: z.string() });

/** Any folder in the repository that it is for; without it, it is for all. */
const Where = { repository: AbsolutePath.optional() };

export const SetSecret = z.object({
  name: SecretName,
  value: z
    .string()
    .min(1, 'the value is empty')
    .max(256 * 1024, 'the value is too long for a variable'),
  ...Where,
});

export const SecretSet = z.object({
  schema: z.literal(1),
  name: z.string(),
  /** Null: for all. */
  repository: Place.nullable(),
  replaced: z.boolean(),
  notes: z.array(z.string()),
});
export type SecretSet = z.infer<typeof SecretSet>;

export const SecretView = z.object({
  name: z.string(),
  /** Null: for all. The path of one that is not known any more is null. */
  repository: Place.extend({ path: z.string().nullable() }).nullable(),
  setAt: z.string(),
});
export type SecretView = z.infer<typeof SecretView>;

export const RemoveSecret = z.object({ name: z.string(), ...Where });

export const SecretRemoved = z.object({ schema: z.literal(1), name: z.string(), repository: Place.nullable() });
export type SecretRemoved = z.infer<typeof SecretRemoved>;
