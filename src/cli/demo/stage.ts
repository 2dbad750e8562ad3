import { access, copyFile, cp, mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { git, gitLine } from '../../lib/git/git.ts';
import { makeScratchFolder } from '../../lib/scratch-folder.ts';
import { type CommandContext, packageFolder } from '../context.ts';
import { usageError } from '../usage-error.ts';

/** Where a demo plays: a scratch folder with a repository and a home of its own. */
export interface Stage {
  readonly folder: string;
  readonly repository: string;
  /** The commit that everything begins from. */
  readonly base: string;
  /** As if the person stood in that repository, with that home: nothing of their own is read or changed. */
  readonly context: CommandContext;
  /** It is the person's from now on. */
  keep(): Promise<void>;
  remove(): Promise<void>;
}

const CONFIG = `# The home of a demo: its only agent is a recording.
agents:
  recording: { kind: scripted, script: recording.yaml }
`;

/** Makes the stage. Whatever the person's git is configured to do stays out of it. */
export async function setUpStage(context: CommandContext, recording: string): Promise<Stage> {
  const scratch = await makeScratchFolder(join(tmpdir(), 'switchyard-demo-'));
  const folder = scratch.path;
  const home = join(folder, 'home');
  const repository = join(folder, 'corner-shop');
  await mkdir(home, { mode: 0o700 });
  await copyFile(recording, join(home, 'recording.yaml'));
  await writeFile(join(home, 'config.yaml'), CONFIG);
  await cp(join(demoFolder(), 'repository'), repository, { recursive: true });
  const options = { cwd: repository };
  await git(['init', '--quiet', '--initial-branch=main'], options);
  await git(['config', 'user.name', 'Demo'], options);
  await git(['config', 'user.email', 'demo@switchyard.invalid'], options);
  await git(['add', '--all'], options);
  await git(['commit', '--quiet', '--message=Open the shop'], options);
  const base = await gitLine(['rev-parse', 'HEAD'], options);
  return {
    folder,
    repository,
    base,
    context: { ...context, cwd: repository, env: stageEnvironment(context, home) },
    keep: () => scratch.keep(),
    remove: async () => scratch[Symbol.asyncDispose](),
  };
}

/** The recording that is played: a file of the person's, or the one that comes with the demo. */
export async function findRecording(path: string | undefined): Promise<string> {
  if (path === undefined) return join(demoFolder(), 'recording.yaml');
  try {
    await access(path);
    return path;
  } catch {
    throw usageError(
      `There is no recording that can be read at ${path}.`,
      'Copy demo/recording.yaml of this package and change it.',
    );
  }
}

function demoFolder(): string {
  return join(packageFolder(), 'demo');
}

const NOT_FOR_A_DEMO: ReadonlySet<string> = new Set([
  'DATABASE_URL',
  'SWITCHYARD_SERVER',
  'SWITCHYARD_TOKEN',
  'SWITCHYARD_CRASH_POINT',
]);

function stageEnvironment(context: CommandContext, home: string): CommandContext['env'] {
  const kept = Object.entries(context.env).filter(([name]) => !NOT_FOR_A_DEMO.has(name));
  return {
    ...Object.fromEntries(kept),
    SWITCHYARD_HOME: home,
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
  };
}
