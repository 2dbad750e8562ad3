import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../../lib/error.ts';
import { runProgram } from '../../../lib/exec/run-program.ts';
import { OneAtATime } from '../../../lib/one-at-a-time.ts';
import { makeScratchFolder } from '../../../lib/scratch-folder.ts';
import type { ContainerImages, FoundImage, ImageBuild } from '../../../ports/sandbox/container-images.ts';
import { buildArguments } from './build-arguments.ts';
import { ask, type Engine, type EngineHost, type EngineKind, enginesOf } from './engine.ts';
import { findImage } from './image.ts';
import { type ContainerWallsParts, probeContainers } from './probe.ts';

export interface ContainerImagesParts extends EngineHost {
  /** The only engine to ask; the first that is installed otherwise. */
  readonly engine?: EngineKind | undefined;
  /** For short-lived files; absolute. Made if it is missing. */
  readonly folder: string;
  /** Names the home whose images they are, in a label. */
  readonly home: string;
}

const PULL_MS = 15 * 60_000;
const BUILD_MS = 30 * 60_000;

/** Each name and each key is asked for once at a time: runs that begin together wait for the same build. */
export function containerImages(parts: ContainerImagesParts): ContainerImages {
  const queue = new OneAtATime();
  return {
    find: (name, options) => queue.run(name, () => find(parts, name, options)),
    build: (order, options) => queue.run(order.key, () => build(parts, order, options)),
  };
}

async function find(
  parts: ContainerImagesParts,
  name: string,
  { pull, signal }: { pull: boolean; signal?: AbortSignal },
): Promise<FoundImage> {
  const engine = await firstEngine(parts);
  if (engine === undefined) return missing(NO_ENGINE);
  try {
    const known = await findImage(engine, name);
    if (known !== undefined) return { kind: 'found', name, id: known.id };
    if (!pull) return missing(`${engine.kind} has none of that name`);
    const { code, stderr } = await ask(engine, ['pull', '--quiet', name], within(PULL_MS, signal));
    if (code !== 0) return missing(`${engine.kind} cannot pull it (${lastLines(stderr)})`);
    const pulled = await findImage(engine, name);
    return pulled === undefined
      ? missing(`${engine.kind} has pulled it, and has none of that name`)
      : { kind: 'found', name, id: pulled.id };
  } catch (error) {
    signal?.throwIfAborted();
    return missing(`${engine.kind} does not answer (${messageOf(error)})`);
  }
}

async function build(
  parts: ContainerImagesParts,
  order: ImageBuild,
  { signal }: { signal?: AbortSignal },
): Promise<FoundImage> {
  const name = `localhost/switchyard-devcontainer:${order.key}`;
  const engine = await engineFor(parts, order.bases);
  if (engine === undefined) return missing(NO_ENGINE);
  const known = await findImage(engine, name);
  if (known !== undefined) return { kind: 'found', name, id: known.id };
  await mkdir(parts.folder, { recursive: true, mode: 0o700 });
  await using scratch = await makeScratchFolder(join(parts.folder, 'build-'));
  const [dockerfile, context] = [join(scratch.path, 'Dockerfile'), join(scratch.path, 'context')];
  await writeFile(dockerfile, order.dockerfile, { mode: 0o600 });
  await mkdir(context, { mode: 0o700 });
  await order.writeContext(context);
  const args = buildArguments(engine, { order, name, home: parts.home, dockerfile, context });
  const command = await endingWithUs(parts, [engine.file, ...args]);
  const [file = '', ...rest] = command;
  try {
    // With an input it is a child of this process itself, whose death ends it.
    const program = { file, args: rest, cwd: '/', env: engine.env, input: '' };
    const { code, stdout, stderr } = await runProgram({ ...program, signal: within(BUILD_MS, signal) });
    if (code !== 0) return missing(`${engine.kind} cannot build it:\n${lastLines(`${stdout.toString()}\n${stderr}`)}`);
  } catch (error) {
    signal?.throwIfAborted();
    return missing(`${engine.kind} could not build it (${messageOf(error)})`);
  }
  const built = await findImage(engine, name);
  return built === undefined
    ? missing(`${engine.kind} has built it, and has none of that name`)
    : { kind: 'found', name, id: built.id };
}

const NO_ENGINE = 'neither podman nor docker is installed';

/** With the options that containers of its base need here; a base in which nothing can be started says nothing about that. */
async function engineFor(parts: ContainerImagesParts, bases: readonly string[]): Promise<Engine | undefined> {
  const [image] = bases;
  const walls: ContainerWallsParts = { ...parts, image };
  const probed = image === undefined ? undefined : await probeContainers(walls);
  return probed === undefined || 'missing' in probed ? firstEngine(parts) : probed.host.engine;
}

async function firstEngine(parts: ContainerImagesParts): Promise<Engine | undefined> {
  for await (const engine of enginesOf(parts, parts.engine)) return engine;
  return undefined;
}

/**
 * Engines leave what a build has started running when they are killed. In a pid namespace all of it ends with the first process, and that
 * with this one. Only root makes one without more ado; docker's builds are its daemon's, which ends them with their client.
 */
async function endingWithUs({ which }: EngineHost, command: readonly string[]): Promise<readonly string[]> {
  const [setpriv, unshare] = [await which('setpriv'), await which('unshare')];
  if (process.geteuid?.() !== 0 || setpriv === undefined || unshare === undefined) return command;
  const namespace = [unshare, '--pid', '--fork', '--kill-child=KILL', '--mount-proc', '--'];
  return [setpriv, '--pdeathsig', 'KILL', '--', ...namespace, ...command];
}

function within(milliseconds: number, signal: AbortSignal | undefined): AbortSignal {
  return AbortSignal.any([AbortSignal.timeout(milliseconds), ...(signal === undefined ? [] : [signal])]);
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-12).join('\n').slice(-2_000);
}

function missing(why: string): FoundImage {
  return { kind: 'missing', why };
}
