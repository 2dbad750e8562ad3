import { resolve } from 'node:path';
import type { SecretView } from '../../api/schemas/secret.ts';
import { refusedSecretName } from '../../domain/secret.ts';
import { printable, printableLine } from '../../lib/printable.ts';
import { connect } from '../connect.ts';
import type { CommandContext } from '../context.ts';
import { print } from '../print.ts';
import { paint, type Style } from '../render/style.ts';
import { readSecret } from '../secret-input.ts';
import { usageError } from '../usage-error.ts';

interface Common {
  readonly json?: boolean;
  readonly server?: string;
}

interface Named extends Common {
  readonly name: string;
  readonly everywhere?: boolean;
}

/** Stores a value that is typed without being shown, or comes from standard input. */
export async function secretSet(context: CommandContext, options: Named): Promise<number> {
  const { name } = options;
  const refused = refusedSecretName(name);
  if (refused !== undefined) throw usageError(refused.message, refused.hint);
  const { client } = await connect(context, options);
  const value = await readSecret(context, name);
  const answer = await client.call('setSecret', { name, value, ...placeOf(context, options) });
  return print(context, options, answer, ({ repository, replaced, notes }) => [
    `${replaced ? 'Replaced' : 'Stored'}: ${name}, for ${forWhat(repository)}.`,
    ...notes.map((note) => printable(note)),
  ]);
}

/** Names, for what and since when; no values. */
export async function secretLs(context: CommandContext, options: Common): Promise<number> {
  const { client } = await connect(context, options);
  return print(context, options, await client.call('listSecrets', {}), (rows, style) =>
    rows.length === 0
      ? ['No secret is stored. `switchyard secret set NAME` stores one for the repository that you stand in.']
      : rows.map((row) => line(row, style)),
  );
}

export async function secretRm(context: CommandContext, options: Named): Promise<number> {
  const { client } = await connect(context, options);
  const answer = await client.call('removeSecret', { name: options.name, ...placeOf(context, options) });
  return print(context, options, answer, ({ name, repository }) => [
    `Removed: ${printableLine(name)}, for ${forWhat(repository)}.`,
  ]);
}

function placeOf({ cwd }: CommandContext, { everywhere = false }: Named): { repository?: string } {
  return everywhere ? {} : { repository: resolve(cwd) };
}

function line({ name, repository, setAt }: SecretView, style: Style): string {
  const where = repository === null ? forWhat(null) : printableLine(repository.path ?? repository.id);
  return `${paint(style, 'bold', printableLine(name))}  ${where}  ${paint(style, 'dim', `set ${setAt.slice(0, 16).replace('T', ' ')} UTC`)}`;
}

function forWhat(repository: { readonly path: string } | null): string {
  return repository === null ? 'all repositories' : printableLine(repository.path);
}
