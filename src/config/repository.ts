import { z } from 'zod';
import { WrittenLimits } from '../domain/limits.ts';
import { SandboxLevel } from '../domain/sandbox.ts';
import { Duration } from '../domain/units.ts';
import { CommandLine, ConfigName, InnerPath } from './names.ts';
import { type Loaded, loadYaml } from './yaml-document.ts';

/** Where `changed` puts the names of the changed files. */
export const FILES_PLACEHOLDER = '{files}';

const WrittenCheck = z.strictObject({
  run: CommandLine.describe('The command; exit code 0 is a pass'),
  kind: ConfigName.describe(
    'format, lint, typecheck, build, test, or a word of your own; without it, the name of the check',
  ).optional(),
  timeout: Duration.prefault('10m'),
  fix: CommandLine.describe('Mends what the check finds, where it can').optional(),
  changed: CommandLine.refine(
    (text) => text.includes(FILES_PLACEHOLDER),
    `write ${FILES_PLACEHOLDER} where the changed files go`,
  )
    .describe(`The same for changed files only, which stand for ${FILES_PLACEHOLDER}`)
    .optional(),
  budget: Duration.describe('How long it may take on changed files, where feedback has to be quick').optional(),
});

const CheckName = ConfigName.refine((name) => name !== 'all', '"all" means all checks and names none');

/** `.switchyard/config.yaml` of a repository, as its owners write it. */
export const RepositoryConfig = z.strictObject({
  checks: z
    .record(CheckName, WrittenCheck)
    .nullable()
    .transform((checks) => checks ?? {})
    .describe('What decides whether work is good; with this key, even empty, nothing is detected')
    .optional(),
  setup: CommandLine.describe(
    'Makes a fresh checkout ready: a command, `auto` (by lock file, the default) or `none`',
  ).optional(),
  workspace: z
    .strictObject({
      copy: z.array(InnerPath).default([]).describe('Ignored files of your checkout that runs receive'),
      carry: z.array(InnerPath).default([]).describe('Ignored files that checkpoints keep'),
      sandbox: SandboxLevel.describe('The least walls that runs of this repository may have').optional(),
      network: z
        .array(z.string().min(1, 'a host must not be empty'))
        .describe('What runs may reach: model, packages, host names')
        .optional(),
    })
    .prefault({}),
  limits: WrittenLimits.default({}),
  protected: z
    .union([z.string().min(1, 'a branch must not be empty'), z.array(z.string().min(1, 'a branch must not be empty'))])
    .transform((branches) => (typeof branches === 'string' ? [branches] : branches))
    .describe('The branch, or branches, from which policy is read')
    .default([]),
  server: z
    .url({ protocol: /^https?$/, error: 'write an address as https://switchyard.example.org' })
    .describe("The team's server, which alone merges to this repository")
    .optional(),
});
export type RepositoryConfig = z.infer<typeof RepositoryConfig>;

const MACHINE_ONLY = 'Write it in config.yaml of SWITCHYARD_HOME on the machine where it is to hold.';

const REFUSED = new Map(
  [
    ['agents', 'a repository cannot name agents, their commands or their keys'],
    ['defaults', 'a repository cannot choose the defaults of a machine'],
    ['sandbox', 'a repository cannot choose the walls that it runs behind'],
  ].map(([key = '', message = '']) => [key, { message, hint: MACHINE_ONLY }]),
);

/** Reads a repository's configuration; without a text (no file) it says nothing and everything stands at its default. */
export function loadRepositoryConfig(text: string | undefined, file: string): Loaded<RepositoryConfig> {
  return text === undefined
    ? { ok: true, value: RepositoryConfig.parse({}) }
    : loadYaml({ file, text }, RepositoryConfig, { refused: REFUSED });
}
