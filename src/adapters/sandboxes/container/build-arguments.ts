import type { ImageBuild } from '../../../ports/sandbox/container-images.ts';
import type { Engine } from './engine.ts';
import { HOME_LABEL } from './labels.ts';

export interface BuildToRun {
  readonly order: ImageBuild;
  /** The name that the image gets. */
  readonly name: string;
  readonly home: string;
  /** Paths of the host. */
  readonly dockerfile: string;
  readonly context: string;
}

/** The engine's arguments that build an image. No folder, secret, agent or device of the host is handed in, and no image is fetched. */
export function buildArguments(engine: Engine, { order, name, home, dockerfile, context }: BuildToRun): string[] {
  const { args, target, isOnline, limits } = order;
  const { memory, cpus } = limits;
  return [
    engine.options,
    ['build', '--tag', name, '--label', `${HOME_LABEL}=${home}`, '--force-rm'],
    // Of podman: without it builds get the proxy variables of this process; each layer of an intermediate step would be kept.
    engine.kind === 'podman'
      ? ['--isolation', 'oci', '--pull=never', '--http-proxy=false', '--layers=false', '--cap-drop', 'NET_RAW']
      : [],
    isOnline ? [] : ['--network', 'none'],
    memory === undefined ? [] : ['--memory', `${memory}`, '--memory-swap', `${memory}`],
    cpus === undefined ? [] : ['--cpu-period', '100000', '--cpu-quota', `${Math.round(cpus * 100_000)}`],
    engine.containerOptions,
    Object.entries(args).flatMap(([key, value]) => ['--build-arg', `${key}=${value}`]),
    target === undefined ? [] : ['--target', target],
    ['--file', dockerfile, context],
  ].flat();
}
