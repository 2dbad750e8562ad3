import type { RunDetail } from '../../src/api/schemas/run.ts';
import type { SandboxLevel } from '../../src/domain/sandbox.ts';
import { type Content, type TempRepository, tempRepository } from '../../src/testing/temp-repository.ts';
import { type CliResult, Installation } from '../support/installation.ts';

/** A whole Switchyard at a level, the same for all attacks that want one; `closeInstallations` ends them. */
const installations = new Map<SandboxLevel, Promise<Installation>>();

export function installed(level: SandboxLevel): Promise<Installation> {
  const known = installations.get(level);
  if (known !== undefined) return known;
  const made = install(level);
  installations.set(level, made);
  return made;
}

/** Those that stand; who is stopped in the middle ends them all. */
const standing = new Set<Installation>();

/** One that whoever asked for it disposes. */
export async function install(
  level: SandboxLevel,
  settings: Readonly<Record<string, unknown>> = {},
  env: Readonly<Record<string, string>> = {},
): Promise<Installation> {
  const config = JSON.stringify({ agents: { hostile: { kind: 'custom', command: ['sh', '-c', AGENT] } }, ...settings });
  const made = await Installation.create({ config, sandbox: level, env });
  standing.add(made);
  return made;
}

export async function closeInstallations(): Promise<void> {
  for (const made of installations.values()) await (await made)[Symbol.asyncDispose]();
  installations.clear();
  for (const one of beside.splice(0)) await one[Symbol.asyncDispose]();
  standing.clear();
}

const beside: AsyncDisposable[] = [];

/** Has something end with the installations. */
export function closeWithInstallations(one: AsyncDisposable): void {
  beside.push(one);
}

/** All of them, whoever asked for them. */
export async function endInstallations(): Promise<void> {
  const all = [...standing];
  standing.clear();
  await Promise.allSettled(all.map((made) => made[Symbol.asyncDispose]()));
}

/** Does what the repository says. */
export const AGENT = 'sh ./agent.sh';

export interface HostileRun extends AsyncDisposable {
  readonly at: Installation;
  readonly repository: TempRepository;
  readonly result: CliResult;
  readonly detail: RunDetail;
}

interface HostileOptions {
  readonly config?: string;
  readonly args?: readonly string[];
  /** Where, if not where all such runs are. */
  readonly at?: Installation;
}

/** A run whose agent is that script, to its end. */
export async function hostileRun(
  level: SandboxLevel,
  script: string,
  { config = 'checks: {}\nsetup: none\n', args = [], at: own }: HostileOptions = {},
): Promise<HostileRun> {
  const at = own ?? (await installed(level));
  const files: Record<string, Content> = { 'README.md': 'x\n', 'agent.sh': script, '.switchyard/config.yaml': config };
  const repository = await tempRepository(files);
  const result = await at.cli(['run', 'Be good', '--agent', 'hostile', '--json', ...args], { cwd: repository.path });
  const { run } = JSON.parse(result.stdout.split('\n')[0] || '{}') as { run?: string };
  if (run === undefined) throw new Error(`no run began: ${result.stdout}${result.stderr}`);
  return {
    at,
    repository,
    result,
    detail: await at.show(run),
    [Symbol.asyncDispose]: () => repository[Symbol.asyncDispose](),
  };
}
