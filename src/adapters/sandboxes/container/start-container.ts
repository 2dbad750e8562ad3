import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { messageOf, SwitchyardError } from '../../../lib/error.ts';
import { startProcess } from '../../../lib/exec/start.ts';
import { keepTail } from '../../../lib/exec/tail.ts';
import type { Ids } from '../../../lib/ids.ts';
import type { ProcessIdentity } from '../../../lib/processes.ts';
import { identifyInit, namespaceName } from '../../../ports/sandbox/namespace-name.ts';
import type { Enclosure, Mount, SandboxedProcess, SandboxProgram } from '../../../ports/sandbox.ts';
import { openBridges } from './bridged.ts';
import { ContainedProcess } from './contained-process.ts';
import { ContainerGroup } from './container-group.ts';
import { ask, type Engine } from './engine.ts';
import { overImage } from './image.ts';
import { labelsFor } from './labels.ts';
import { insideOf } from './mounts.ts';
import { containerNamespace, removeContainer } from './remains.ts';
import { PID_FILE, runArguments } from './run-arguments.ts';
import { withShown } from './shown.ts';
import { openTalk } from './talk.ts';

/** What all containers of a host's level have in common. */
export interface ContainerHost {
  readonly engine: Engine;
  /** Its name or its id. */
  readonly image: string;
  /** What is set for all programs, below what each of them is given. */
  readonly variables: Readonly<Record<string, string>>;
  /** Files and folders of this machine that all programs may read, at their own places. */
  readonly reads: readonly string[];
  /** Where the folders lie in which containers and harness talk. */
  readonly folder: string;
  /** Whose containers they are; see `clearContainers`. */
  readonly home: string;
  readonly mkfifo: string;
  readonly nsenter: string;
  readonly setpriv: string;
  readonly ids: Ids;
}

/** The engine's program that runs a container, and stays as long as that. */
export interface Launcher {
  readonly ended: Promise<unknown>;
  readonly closed: Promise<unknown>;
  /** Its output, where it is not somebody else's. */
  readonly stdout?: Readable;
  readonly stderr?: Readable;
}

export interface ContainerStart<L extends Launcher> {
  readonly enclosure: Enclosure;
  readonly program: SandboxProgram;
  readonly hasTerminal: boolean;
  launch(command: { file: string; args: readonly string[]; env: Readonly<Record<string, string>> }): Promise<L>;
}

/** A container in which the program runs. */
export interface Begun<L extends Launcher> {
  readonly launcher: L;
  /** Its first process. */
  readonly init: Required<ProcessIdentity>;
  readonly namespace: string;
  /** To be disposed when nothing of it is left. */
  readonly group: ContainerGroup;
}

/** Starts a program in a container of its own. Rejects with `sandbox/cannot-start`; then nothing of it is left. */
export async function startContainer(
  host: ContainerHost,
  asked: { readonly enclosure: Enclosure; readonly program: SandboxProgram },
): Promise<SandboxedProcess> {
  const { input } = asked.program;
  const { launcher, ...walled } = await beginContainer(host, {
    ...asked,
    hasTerminal: false,
    launch: (command) => startProcess({ ...command, cwd: '/', input }),
  });
  return new ContainedProcess(launcher, walled);
}

/** The same, by whatever launches the engine's program. */
export async function beginContainer<L extends Launcher>(
  host: ContainerHost,
  start: ContainerStart<L>,
): Promise<Begun<L>> {
  const { engine } = host;
  const { program, enclosure } = start;
  const name = `switchyard-${host.ids()}`;
  try {
    await using undo = new AsyncDisposableStack();
    const { mounts, argv } = await withShown(enclosure.mounts, { program, reads: host.reads });
    const user = await ownerOf(mounts);
    const inner = { cwd: insideOf(enclosure.mounts, program.cwd), env: overImage(host.variables, program.env) };
    const talk = undo.use(await openTalk({ within: host.folder, mkfifo: host.mkfifo, user, program: inner }));
    const labels = labelsFor(host.home, engine.name);
    const { image } = host;
    const container = { name, image, labels, user, talk: talk.folder, hasTerminal: start.hasTerminal, argv };
    const args = runArguments(engine, { ...container, enclosure: { ...enclosure, mounts } });
    if (engine.kind === 'docker') undo.defer(async () => void (await removeContainer(engine, name)));
    const launcher = await start.launch({ file: engine.file, args, env: engine.env });
    try {
      await untilUp({ engine, launcher, report: talk.report, program });
      const pid = await firstProcessOf(engine, name, talk.folder);
      const init = identifyInit(pid);
      if (enclosure.network.kind === 'bridged' && enclosure.network.bridges.length > 0) {
        undo.use(await openBridges({ nsenter: host.nsenter, init: pid }, enclosure.network.bridges));
      }
      await talk.go();
      const group = new ContainerGroup({ init: pid, limits: enclosure.limits, owned: undo.move() });
      void talk.ended.then(() => {
        group.look();
        return talk.end();
      });
      return { launcher, init, namespace: containerNamespace(engine, name, namespaceName(init)), group };
    } catch (error) {
      await removeContainer(engine, name);
      launcher.stdout?.destroy();
      launcher.stderr?.destroy();
      await launcher.ended;
      throw error;
    }
  } catch (error) {
    if (error instanceof SwitchyardError) throw error;
    throw cannotStart(program.argv[0], messageOf(error), error);
  }
}

async function untilUp(starting: {
  engine: Engine;
  launcher: Launcher;
  report: Promise<string | undefined>;
  program: SandboxProgram;
}): Promise<void> {
  const { launcher, report, program } = starting;
  const said = await Promise.race([report, launcher.ended.then(() => undefined)]);
  if (said === 'up') return;
  const [name] = program.argv;
  if (said === 'no-folder') throw cannotStart(name, `there is no folder ${program.cwd} in its container`);
  if (said === 'no-program') {
    const why = name.includes('/')
      ? 'there is no such executable file'
      : `it is not on the PATH (${program.env['PATH']})`;
    throw cannotStart(
      name,
      `${why} in its container`,
      undefined,
      'Install it in the image that the container is made of; an agent may also be named by the path of its file on this machine.',
    );
  }
  const errors = launcher.stderr && keepTail(launcher.stderr);
  launcher.stdout?.resume();
  await launcher.closed;
  throw cannotStart('the container', errors?.text().trim() ?? `${starting.engine.kind} has said why`);
}

/** The container's first process, as this host numbers it. */
async function firstProcessOf(engine: Engine, name: string, talk: string): Promise<number> {
  if (engine.kind === 'podman') return Number(await readFile(join(talk, PID_FILE), 'utf8'));
  const { stdout, stderr } = await ask(engine, ['inspect', '--format', '{{.State.Pid}}', name]);
  if (!/^[1-9]\d*$/.test(stdout)) throw cannotStart('the container', `its process is not known: ${stderr}`);
  return Number(stdout);
}

/** Programs run as whoever owns the workspace: the last folder that they may write to. */
async function ownerOf(mounts: readonly Mount[]): Promise<{ readonly uid: number; readonly gid: number }> {
  const last = mounts.findLast(({ writable }) => writable);
  if (last !== undefined) return stat(last.host);
  return { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
}

function cannotStart(what: string, why: string, cause?: unknown, hint?: string): SwitchyardError {
  return new SwitchyardError({
    code: 'sandbox/cannot-start',
    message: `cannot start ${what}: ${why}`,
    hint: hint ?? 'Run `switchyard doctor` to see what this machine can do.',
    cause,
  });
}
