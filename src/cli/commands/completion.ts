import { createClient } from '../../api/client.ts';
import { candidatesFor, type Lookups } from '../completion/candidates.ts';
import { completionScript } from '../completion/scripts.ts';
import { findServer } from '../connect.ts';
import type { CommandContext } from '../context.ts';
import { fromFolder } from '../from-folder.ts';
import { usageError } from '../usage-error.ts';

/** A person waits for the tab key: what takes longer is not offered. */
const PATIENCE_MS = 400;

export async function completion(context: CommandContext, options: { readonly shell: string }): Promise<number> {
  const script = completionScript(options.shell);
  if (script === undefined)
    throw usageError(`There is no completion for ${JSON.stringify(options.shell)}.`, 'Name bash, zsh or fish.');
  context.stdout.write(script);
  return 0;
}

/** Called by the scripts with the words after `switchyard`, the last of which is being written. Starts no daemon and never fails. */
export async function complete(
  context: CommandContext,
  options: { readonly words?: readonly string[] },
): Promise<number> {
  const found = await candidatesFor(options.words ?? [], lookups(context));
  context.stdout.write(found.map((word) => `${word}\n`).join(''));
  return 0;
}

function lookups(context: CommandContext): Lookups {
  const client = createClient(findServer(context).address);
  const patience = AbortSignal.timeout(PATIENCE_MS);
  return {
    runs: () =>
      orNone(async () =>
        (await fromFolder(context.cwd, (place) => client.call('listRuns', place, {}, patience))).answer.map(
          ({ slug }) => slug,
        ),
      ),
    blueprints: () =>
      orNone(async () =>
        (await fromFolder(context.cwd, (place) => client.call('listBlueprints', place, {}, patience))).answer.map(
          ({ name }) => name,
        ),
      ),
  };
}

async function orNone(look: () => Promise<string[]>): Promise<string[]> {
  try {
    return await look();
  } catch {
    return []; // no daemon, or too slow a one: nothing can be offered, and a prompt is no place to say why
  }
}
