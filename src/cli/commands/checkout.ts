import { resolve } from 'node:path';
import { printable, printableLine } from '../../lib/printable.ts';
import { connect } from '../connect.ts';
import type { CommandContext } from '../context.ts';
import { print } from '../print.ts';
import type { RunReference } from './show.ts';

export interface CheckoutOptions extends RunReference {
  readonly branch?: string;
  readonly worktree?: string;
}

/** The run's branch, checked out where the person stands or in a worktree of its own. */
export async function checkout(context: CommandContext, options: CheckoutOptions): Promise<number> {
  const { client } = await connect(context, options);
  const { branch, worktree } = options;
  const answer = await client.call(
    'checkoutRun',
    {
      folder: context.cwd,
      ...(branch === undefined ? {} : { branch }),
      ...(worktree === undefined ? {} : { worktree: resolve(context.cwd, worktree) }),
    },
    { run: options.run },
  );
  return print(context, options, answer, (value) => [
    `${printableLine(value.branch)} at ${value.commit.slice(0, 10)} is checked out in ${printableLine(value.folder)}.`,
    ...value.notes.map((note) => printable(note)),
  ]);
}
