import { readFileSync } from 'node:fs';
import { runProgram } from '../../../lib/exec/run-program.ts';
import type { Which } from '../../../lib/exec/which.ts';

export type EngineKind = 'podman' | 'docker';

/** A container engine of this host together with the options that it needs here. */
export interface Engine {
  readonly kind: EngineKind;
  readonly file: string;
  /** One word for engine and options, such as `podman,runc,cgroupfs`; `engineNamed` finds the engine again by it. */
  readonly name: string;
  /** Before the command. */
  readonly options: readonly string[];
  /** For each container that is made. */
  readonly containerOptions: readonly string[];
  /** The environment of its own program; nothing of it gets into a container or a build. */
  readonly env: Readonly<Record<string, string>>;
}

export interface EngineHost {
  readonly which: Which;
  /** This process's environment; the engine's program is given those variables that it may need to find itself by. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * The engines that are installed, each with the sets of options to try, fewest first: some hosts have no systemd to make control groups,
 * some engines' first runtime knows no mixed control groups, and in some places nobody may raise a limit.
 */
export async function* enginesOf(host: EngineHost, kind?: EngineKind): AsyncGenerator<Engine> {
  for (const row of TABLE) {
    if (kind === undefined || row.kind === kind) yield* made(row, host);
  }
}

/** The engine of that name; undefined where it is not installed, or the name is none of ours. */
export async function engineNamed(host: EngineHost, name: string): Promise<Engine | undefined> {
  const row = TABLE.find((candidate) => nameOf(candidate) === name);
  if (row === undefined) return undefined;
  for await (const engine of made(row, host)) return engine;
  return undefined;
}

export interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Asks the engine something that it answers soon. Rejects when aborted, which without a signal happens after a minute. */
export async function ask(engine: Engine, args: readonly string[], signal?: AbortSignal): Promise<Answer> {
  const { code, stdout, stderr } = await runProgram({
    file: engine.file,
    args: [...engine.options, ...args],
    cwd: '/',
    env: engine.env,
    input: undefined,
    signal: signal ?? AbortSignal.timeout(60_000),
  });
  return { code, stdout: stdout.toString('utf8').trim(), stderr: stderr.trim() };
}

interface Row {
  readonly kind: EngineKind;
  readonly words: readonly string[];
}

const TABLE: readonly Row[] = [
  { kind: 'podman', words: [] },
  { kind: 'podman', words: ['rlimits'] },
  { kind: 'podman', words: ['cgroupfs'] },
  { kind: 'podman', words: ['cgroupfs', 'rlimits'] },
  { kind: 'podman', words: ['runc', 'cgroupfs'] },
  { kind: 'podman', words: ['runc', 'cgroupfs', 'rlimits'] },
  { kind: 'docker', words: [] },
  { kind: 'docker', words: ['rlimits'] },
];

const OPTIONS: Readonly<Record<string, readonly string[]>> = {
  runc: ['--runtime', 'runc'],
  cgroupfs: ['--cgroup-manager', 'cgroupfs'],
};

function nameOf({ kind, words }: Row): string {
  return [kind, ...words].join(',');
}

async function* made(row: Row, { which, env }: EngineHost): AsyncGenerator<Engine> {
  const { kind, words } = row;
  const file = await which(kind);
  if (file === undefined) return;
  for (const word of words) {
    if (word === 'runc' && (await which(word)) === undefined) return;
  }
  yield {
    kind,
    file,
    name: nameOf(row),
    options: words.flatMap((word) => OPTIONS[word] ?? []),
    containerOptions: words.includes('rlimits') ? ownRlimits() : [],
    env: Object.fromEntries(
      Object.entries(env).flatMap(([name, value]) =>
        value !== undefined && OF_ENGINES.test(name) ? [[name, value]] : [],
      ),
    ),
  };
}

const OF_ENGINES =
  /^(PATH|HOME|USER|LOGNAME|TMPDIR|DBUS_SESSION_BUS_ADDRESS|XDG_.*|CONTAINERS_.*|DOCKER_.*|REGISTRY_AUTH_FILE|(https?|no)_proxy)$/i;

/**
 * The limits that this process is held to itself: an engine asks for more, and is refused where that may not be given. Podman holds itself
 * to no more processes than the kernel has numbers for.
 */
function ownRlimits(): string[] {
  const text = readFileSync('/proc/self/limits', 'utf8');
  const numbers = Number(readFileSync('/proc/sys/kernel/pid_max', 'utf8'));
  const hard = (title: string) =>
    Number(new RegExp(`^${title}\\s+\\S+\\s+(\\d+)`, 'm').exec(text)?.[1] ?? Number.POSITIVE_INFINITY);
  const [files, processes] = [hard('Max open files'), Math.min(hard('Max processes'), numbers)];
  return [
    ...(Number.isFinite(files) ? ['--ulimit', `nofile=${files}:${files}`] : []),
    '--ulimit',
    `nproc=${processes}:${processes}`,
  ];
}
