import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { deadOwnerOf } from '../../../lib/scratch-folder.ts';
import { pidRemains } from '../../../ports/sandbox/namespace-name.ts';
import type { SandboxRemains } from '../../../ports/sandbox.ts';
import { ask, type Engine, type EngineHost, type EngineKind, engineNamed, enginesOf } from './engine.ts';
import { ENGINE_LABEL, HOME_LABEL, isOwnerDead, OWNER_LABEL } from './labels.ts';

/** `container ENGINE NAME` and then the name of its pid namespace, by which the kernel can be asked too. */
export function containerNamespace(engine: Engine, name: string, namespace: string): string {
  return ['container', engine.name, name, namespace].join(' ');
}

/** Whether walls of that name are a container: what else there is, others know how to clear. */
export function isContainerNamespace(namespace: string): boolean {
  return NAMESPACE.test(namespace);
}

/** The container's first process, out of that name. */
export function initOf(namespace: string): number {
  return Number(/ pid:\[\d+\] (\d+) /.exec(namespace)?.[1]);
}

const NAMESPACE = /^container (?<engine>\S+) (?<name>switchyard-[a-z0-9]+) (?<pid>pid:\[.*)$/;

/**
 * Containers outlive the harness if they are told to. The kernel is asked first, since it proves within milliseconds that no process is
 * left; the engine then removes what it keeps of the container. Where the engine is gone, the kernel's word is enough.
 */
export function containerRemains(host: EngineHost): SandboxRemains {
  return {
    async clear(namespace) {
      const { engine: engineName, name, pid } = NAMESPACE.exec(namespace)?.groups ?? {};
      if (engineName === undefined || name === undefined || pid === undefined) return false;
      const isEmpty = await pidRemains.clear(pid);
      const engine = await engineNamed(host, engineName);
      const isRemoved = engine !== undefined && (await removeContainer(engine, name));
      return isEmpty || isRemoved;
    },
  };
}

/** Ends and removes a container; true when there is none of that name any more, false where the engine does not say so. */
export async function removeContainer(engine: Engine, name: string): Promise<boolean> {
  try {
    await ask(engine, ['rm', '--force', '--volumes', ...(engine.kind === 'podman' ? ['--time', '0'] : []), name]);
    const left = await ask(engine, ['ps', '--all', '--quiet', '--filter', `name=^${name}$`]);
    return left.code === 0 && left.stdout === '';
  } catch {
    return false; // it does not answer
  }
}

/** A container whose harness has ended. */
export interface LeftContainer {
  readonly name: string;
  /** Ends and removes it; false where the engine does not say that it is gone. */
  remove(): Promise<boolean>;
}

/**
 * The containers of that home whose harness has ended, whatever engine they are in. What is a living harness's, or one's that cannot be
 * looked for from here, is not among them.
 */
export async function leftContainers(host: EngineHost, home: string): Promise<readonly LeftContainer[]> {
  const left: LeftContainer[] = [];
  for (const kind of ['podman', 'docker'] as const) {
    for (const { name, engine } of await leftIn(host, kind, home)) {
      const owner = await engineNamed(host, engine);
      if (owner !== undefined) left.push({ name, remove: () => removeContainer(owner, name) });
    }
  }
  return left;
}

/**
 * Ends and removes them, and returns their names; in `folder`, it removes what such a harness has left. What a run has left is cleared by
 * its name too.
 */
export async function clearContainers(
  host: EngineHost,
  { home, folder }: { readonly home: string; readonly folder: string },
): Promise<readonly string[]> {
  const cleared: string[] = [];
  for (const container of await leftContainers(host, home)) {
    if (await container.remove()) cleared.push(container.name);
  }
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name);
    if ((await deadOwnerOf(path)) !== undefined) await rm(path, { recursive: true, force: true });
  }
  return cleared;
}

async function leftIn(host: EngineHost, kind: EngineKind, home: string) {
  for await (const engine of enginesOf(host, kind)) {
    const labels = [ENGINE_LABEL, OWNER_LABEL].map((label) => `{{index .Config.Labels "${label}"}}`);
    const names = await ask(engine, ['ps', '--all', '--quiet', '--filter', `label=${HOME_LABEL}=${home}`]).catch(
      () => undefined,
    );
    if (names?.code !== 0) continue;
    if (names.stdout === '') return [];
    const ids = names.stdout.split('\n');
    const shown = await ask(engine, ['inspect', '--format', `{{.Name}}\t${labels.join('\t')}`, ...ids]);
    return shown.stdout.split('\n').flatMap((line) => {
      const [name = '', engineName = '', owner = ''] = line.split('\t');
      const plain = name.replace(/^\//, '');
      // An image can bear labels too: what was made of it under another name is not ours.
      return OURS.test(plain) && isOwnerDead(owner) ? [{ name: plain, engine: engineName }] : [];
    });
  }
  return [];
}

const OURS = /^switchyard-[a-z0-9]+$/;
