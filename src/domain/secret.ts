import { z } from 'zod';

/** Variables that decide how programs start, and our own: as a secret they would do something else than be read. */
const TAKEN =
  /^(PATH|HOME|USER|SHELL|PWD|TMPDIR|TERM|CI|LANG|LC_\w+|TZ|IFS|ENV|BASH_ENV|NODE_OPTIONS|LD_\w+|DYLD_\w+|SWITCHYARD_\w+)$/;

/** The name of a secret, which is that of the variable in which a program finds it. */
export const SecretName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, 'a secret has the name of an environment variable, as NPM_TOKEN')
  .refine((name) => !TAKEN.test(name), 'this variable has another meaning for programs')
  .describe('The name of a secret: the variable in which the program finds it');

/** Why a secret cannot have this name, and what would be right; undefined where it can. Repeats no name that may be a value in the wrong place. */
export function refusedSecretName(name: string): { readonly message: string; readonly hint: string } | undefined {
  if (SecretName.safeParse(name).success) return undefined;
  if (TAKEN.test(name)) {
    return {
      message: `No secret can be named ${name}: programs use this variable for something else.`,
      hint: 'Choose a name of its own, for instance NPM_TOKEN.',
    };
  }
  return {
    message: 'This cannot be the name of a secret, which is that of the variable in which programs find it.',
    hint: 'Write letters, digits and _, with no digit first and 128 at most, for instance NPM_TOKEN. The value is asked for afterwards, or comes on standard input.',
  };
}

/** The secrets that one program gets, as a configuration or a blueprint names them. */
export const WrittenSecrets = z
  .array(SecretName)
  .min(1, 'name at least one secret, or leave it out')
  .transform((names) => [...new Set(names)])
  .describe('Names of secrets that this program alone finds in its environment');

/** One that is stored; nobody is shown its value. */
export const StoredSecret = z.object({
  name: z.string(),
  /** The id of the only repository that it is for; null: all. */
  repository: z.string().nullable(),
  /** ISO 8601. */
  setAt: z.string(),
});
export type StoredSecret = z.infer<typeof StoredSecret>;

export const SecretEntry = StoredSecret.extend({
  /** Without it, the value is in the keyring. */
  value: z.string().optional(),
});
export type SecretEntry = z.infer<typeof SecretEntry>;

/** `secrets.json` of a home. */
export const SecretsFile = z.object({ schema: z.literal(1), secrets: z.array(SecretEntry) });
