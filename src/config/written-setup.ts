import { z } from 'zod';
import { InnerFolder } from '../domain/inner-folder.ts';
import { shellWord } from '../lib/shell-word.ts';
import { CommandLine } from './names.ts';

const WORDS = new Set(['auto', 'none']);

const Command = CommandLine.refine((text) => !WORDS.has(text.trim()), 'auto and none stand alone: write the command');

const Step = z.union([Command, z.strictObject({ path: InnerFolder.optional(), run: Command })], {
  error: 'write a command, or { path: packages/a, run: npm ci }',
});

/** `setup:` of a repository: one line, a list of steps, or a command for each of several folders. */
export const WrittenSetup = z
  .union(
    [
      CommandLine,
      z.array(Step).min(1, 'a setup without steps is `none`'),
      z
        .record(InnerFolder, Command)
        .refine((steps) => Object.keys(steps).length > 0, 'a setup without steps is `none`'),
    ],
    { error: 'write a command, a list of steps, or a command for each folder: { packages/a: npm ci }' },
  )
  .describe(
    'Makes a fresh checkout ready: a command, `auto` (by lock file, the default), `none`, a list of commands and { path, run }, or a command by folder',
  );
type WrittenSetup = z.output<typeof WrittenSetup>;

export interface SetupStep {
  readonly path?: string | undefined;
  readonly run: string;
}

export function setupSteps(written: Exclude<WrittenSetup, string>): SetupStep[] {
  if (!Array.isArray(written)) return Object.entries(written).map(([path, run]) => ({ path, run }));
  return written.map((step) => (typeof step === 'string' ? { run: step } : step));
}

/** The same as one line for `sh -c`: each step in its folder, in a shell of its own, the first that fails ends it all. */
export function setupCommand(written: WrittenSetup | undefined): string | undefined {
  if (written === undefined || typeof written === 'string') return written;
  const steps = setupSteps(written).map(({ path, run }) => {
    const folder = path === undefined ? '' : `cd ${shellWord(`./${path}`)} || exit\n`;
    const title = path === undefined ? run : `${path}: ${run}`;
    return `printf '+ %s\\n' ${shellWord(title)}\n(\n${folder}${run}\n) || exit`;
  });
  return steps.join('\n');
}
