import { z } from 'zod';
import { InnerFolder } from '../domain/inner-folder.ts';
import { WrittenSecrets } from '../domain/secret.ts';
import { shellWord } from '../lib/shell-word.ts';
import { CommandLine } from './names.ts';

const WORDS = new Set(['auto', 'none']);

const Command = CommandLine.refine((text) => !WORDS.has(text.trim()), 'auto and none stand alone: write the command');

const Step = z.union([Command, z.strictObject({ path: InnerFolder.optional(), run: Command })], {
  error: 'write a command, or { path: packages/a, run: npm ci }',
});

const Steps = z.array(Step).min(1, 'a setup without steps is `none`');

/** `setup:` of a repository: one line, a list of steps, or a command for each of several folders; the first two also with secrets. */
export const WrittenSetup = z
  .union(
    [
      CommandLine,
      Steps,
      z.strictObject({ run: z.union([CommandLine, Steps]), secrets: WrittenSecrets }),
      z
        .record(InnerFolder, Command)
        .refine((steps) => Object.keys(steps).length > 0, 'a setup without steps is `none`'),
    ],
    {
      error:
        'write a command, a list of steps, a command for each folder: { packages/a: npm ci }, or { run: npm ci, secrets: [NPM_TOKEN] }',
    },
  )
  .describe(
    'Makes a fresh checkout ready: a command, `auto` (by lock file, the default), `none`, a list of commands and { path, run }, a command by folder, or { run, secrets }',
  );
type WrittenSetup = z.output<typeof WrittenSetup>;

type Run = string | z.output<typeof Steps> | Record<string, string>;

/** What is to be run, in whichever way it was written, and the secrets that it finds in its environment. */
export function writtenSetup(written: WrittenSetup | undefined): {
  readonly run: Run | undefined;
  readonly secrets: readonly string[];
} {
  if (written === undefined || typeof written === 'string' || Array.isArray(written) || !hasSecrets(written))
    return { run: written, secrets: [] };
  return written;
}

/** A folder may be called `run`, but its command is no list. */
function hasSecrets(
  written: Exclude<WrittenSetup, string | readonly unknown[]>,
): written is Extract<WrittenSetup, { secrets: unknown }> & { run: Run; secrets: string[] } {
  return Array.isArray(written['secrets']);
}

export interface SetupStep {
  readonly path?: string | undefined;
  readonly run: string;
}

export function setupSteps(written: Exclude<Run, string>): SetupStep[] {
  if (!Array.isArray(written)) return Object.entries(written).map(([path, run]) => ({ path, run }));
  return written.map((step) => (typeof step === 'string' ? { run: step } : step));
}

/** The same as one line for `sh -c`: each step in its folder, in a shell of its own, the first that fails ends it all. */
export function setupCommand(written: Run | undefined): string | undefined {
  if (written === undefined || typeof written === 'string') return written;
  const steps = setupSteps(written).map(({ path, run }) => {
    const folder = path === undefined ? '' : `cd ${shellWord(`./${path}`)} || exit\n`;
    const title = path === undefined ? run : `${path}: ${run}`;
    return `printf '+ %s\\n' ${shellWord(title)}\n(\n${folder}${run}\n) || exit`;
  });
  return steps.join('\n');
}
