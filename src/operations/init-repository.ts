import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ParsedRequestOf, ResponseOf } from '../api/routes.ts';
import { initialConfig } from '../config/initial-config.ts';
import { SwitchyardError } from '../lib/error.ts';
import { readInForce } from './in-force.ts';
import type { OperationContext } from './operations.ts';
import { resolveBase, usableRepository } from './repository.ts';

/** Proposes a `.switchyard/config.yaml` from what the repository's files let guess, and writes it unless only asked to show. */
export async function initRepository(
  context: OperationContext,
  request: ParsedRequestOf<'initRepository'>,
): Promise<ResponseOf<'initRepository'>> {
  const usable = await usableRepository(context, request.path);
  const { toplevel, branch } = usable.found;
  if (toplevel === undefined) {
    throw new SwitchyardError({
      code: 'repository/bare',
      message: `${request.path} has no checkout to write to.`,
      hint: 'Run `switchyard init` in a clone.',
    });
  }
  const base = await resolveBase(usable, undefined);
  const { detected } = await readInForce(usable.store, base.commit, undefined);
  const text = initialConfig({ ...detected, protected: branch });
  const file = join(toplevel, '.switchyard', 'config.yaml');
  const notes =
    detected.checks.length === 0
      ? ['No check was found. Declare one: without it nothing but your own eyes will judge the work.']
      : [];
  if (request.dryRun) return { schema: 1, file, text, written: false, notes };
  await mkdir(dirname(file), { recursive: true });
  try {
    await writeFile(file, text, { flag: request.force ? 'w' : 'wx' });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
    throw new SwitchyardError({
      code: 'config/exists',
      message: `${file} is there already.`,
      hint: 'Change it by hand, or replace it with --force.',
      cause,
    });
  }
  return {
    schema: 1,
    file,
    text,
    written: true,
    notes: [...notes, 'Commit it, so that it is in force for everybody.'],
  };
}
