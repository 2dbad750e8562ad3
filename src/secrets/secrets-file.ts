import { constants } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type SecretEntry, SecretsFile } from '../domain/secret.ts';
import { SwitchyardError } from '../lib/error.ts';
import { tryJson } from '../lib/try-json.ts';

/**
 * The secrets of a home; none where there is no file. Rejects with `secret/readable` when anybody else could read or change it, and with
 * `secret/store-broken` when it is not what we have written.
 */
export async function readSecretsFile(file: string): Promise<SecretEntry[]> {
  const text = await ownText(file);
  if (text === undefined) return [];
  const read = SecretsFile.safeParse(tryJson(text));
  if (read.success) return read.data.secrets;
  throw new SwitchyardError({
    code: 'secret/store-broken',
    message: `${file} is not a file of secrets that this version can read.`,
    hint: 'Move it away, then set the secrets again with `switchyard secret set NAME`.',
  });
}

/** Puts them in the place of those that were there, whole or not at all. Only one process of a home writes. Rejects as reading does. */
export async function writeSecretsFile(file: string, secrets: readonly SecretEntry[]): Promise<void> {
  await refuseOpenFolder(file);
  const draft = `${file}.draft`;
  // One that a dead process has left.
  await rm(draft, { force: true });
  try {
    await using handle = await open(draft, 'wx', 0o600);
    await handle.writeFile(`${JSON.stringify({ schema: 1, secrets }, undefined, 2)}\n`);
    await handle.sync();
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

async function ownText(file: string): Promise<string | undefined> {
  try {
    await using handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const found = await handle.stat();
    if (!found.isFile()) throw readable(file, 'it is no file');
    if (found.uid !== process.geteuid?.()) throw readable(file, 'it belongs to another user');
    if ((found.mode & 0o077) !== 0) throw readable(file, 'others may read or change it', `chmod 600 '${file}'`);
    await refuseOpenFolder(file);
    return await handle.readFile('utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw code === 'ELOOP' ? readable(file, 'it is a link') : error;
  }
}

/** Who may write in a folder may put another file there, and who may list it sees when secrets change. */
async function refuseOpenFolder(file: string): Promise<void> {
  const folder = dirname(file);
  const found = await stat(folder);
  if ((found.mode & 0o066) === 0) return;
  throw readable(file, 'others may look into its folder', `chmod 700 '${folder}'`);
}

function readable(file: string, why: string, how?: string): SwitchyardError {
  return new SwitchyardError({
    code: 'secret/readable',
    message: `Secrets are not read from or written to ${file}: ${why}.`,
    hint: how === undefined ? 'Look who has put it there, and move it away.' : `Close it: ${how}`,
  });
}
