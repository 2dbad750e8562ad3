import { z } from 'zod';
import { InnerFolder, isBelow } from '../domain/inner-folder.ts';
import { WrittenLimits } from '../domain/limits.ts';
import { SandboxLevel } from '../domain/sandbox.ts';
import { WrittenSecrets } from '../domain/secret.ts';
import { Duration } from '../domain/units.ts';
import { CommandLine, ConfigName, InnerPath } from './names.ts';
import { WrittenServices } from './service.ts';
import { setupSteps, WrittenSetup, writtenSetup } from './written-setup.ts';
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
  path: InnerFolder.describe(
    'The folder that it runs in; where only changed files are looked at, it runs when some of them lie there',
  ).optional(),
  secrets: WrittenSecrets.optional(),
});

const CheckName = ConfigName.refine((name) => name !== 'all', '"all" means all checks and names none');

/** `.switchyard/config.yaml` of a repository, as its owners write it. */
export const RepositoryConfig = z
  .strictObject({
    checks: z
      .record(CheckName, WrittenCheck)
      .nullable()
      .transform((checks) => checks ?? {})
      .describe('What decides whether work is good; with this key, even empty, nothing is detected')
      .optional(),
    setup: WrittenSetup.optional(),
    services: WrittenServices.optional(),
    workspace: z
      .strictObject({
        copy: z.array(InnerPath).default([]).describe('Ignored files of your checkout that runs receive'),
        carry: z.array(InnerPath).default([]).describe('Ignored files that checkpoints keep'),
        sparse: z
          .array(InnerFolder)
          .min(1, 'name at least one folder, or leave it out')
          .describe('The only folders that workspaces have, beside the files at the top and on the way to them')
          .optional(),
        sandbox: SandboxLevel.describe('The least walls that runs of this repository may have').optional(),
        network: z
          .array(z.string().min(1, 'a host must not be empty'))
          .describe('What runs may reach: model, packages, host names')
          .optional(),
      })
      .prefault({}),
    limits: WrittenLimits.default({}),
    protected: z
      .union([
        z.string().min(1, 'a branch must not be empty'),
        z.array(z.string().min(1, 'a branch must not be empty')),
      ])
      .transform((branches) => (typeof branches === 'string' ? [branches] : branches))
      .describe('The branch, or branches, from which policy is read')
      .default([]),
    server: z
      .url({ protocol: /^https?$/, error: 'write an address as https://switchyard.example.org' })
      .describe("The team's server, which alone merges to this repository")
      .optional(),
  })
  .superRefine(({ checks, services, setup, workspace: { sparse } }, context) => {
    if (sparse === undefined) return;
    const { run } = writtenSetup(setup);
    const steps = run === undefined || typeof run === 'string' ? [] : setupSteps(run);
    const isList = Array.isArray(run);
    const used = [
      ...Object.entries(checks ?? {}).map(([name, { path }]) => ({ path, at: ['checks', name, 'path'] })),
      ...Object.entries(services ?? {}).map(([name, { path }]) => ({ path, at: ['services', name, 'path'] })),
      ...steps.map(({ path }, n) => ({ path, at: ['setup', isList ? n : (path ?? '')] })),
    ];
    for (const { path, at } of used) {
      if (path === undefined || isBelow(path, sparse)) continue;
      context.addIssue({
        code: 'custom',
        path: at,
        message: `workspaces do not have ${path}: workspace.sparse leaves it out`,
      });
    }
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
