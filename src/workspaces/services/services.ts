import { join } from 'node:path';
import type { Service } from '../../domain/service.ts';
import type { SwitchyardError } from '../../lib/error.ts';
import { makeScratchFolder, type ScratchFolder } from '../../lib/scratch-folder.ts';
import type { Bridge, Sandbox } from '../../ports/sandbox.ts';
import { type RunningService, type ServicePlace, startService } from './running-service.ts';
import { hasEnded } from './service-error.ts';

/** `setup`: what setup may use; `programs`: what everything after it may. */
export type ServiceStage = 'setup' | 'programs';

/**
 * The services of one run while somebody works in its workspace. They are started, one after the other as declared, when the first program
 * that may use them is about to start, and end when this is disposed.
 */
export interface Services extends AsyncDisposable {
  /**
   * Resolves when those of the stage can be used. Rejects with `service/…` when one of them cannot be started or has ended, now and
   * at every later call, or with the reason of the signal that all of them have in common.
   */
  ready(stage: ServiceStage): Promise<void>;
  /** The ports behind which programs of their own walls find those that run. */
  readonly bridges: readonly Bridge[];
}

export interface ServicesParts extends Omit<ServicePlace, 'sockets'> {
  readonly declared: readonly Service[];
  /** A folder for temporary ones, which hold sockets; one with a long path is of no use, and /tmp takes its place. */
  readonly temporary: string;
  /** Ends the waiting for a service, not those that run. */
  readonly signal: AbortSignal;
  /** Told once, when a service that was ready has ended by itself. */
  readonly onEnded: (failure: SwitchyardError) => void;
}

export function createServices(parts: ServicesParts): Services {
  return new DeclaredServices(parts);
}

class DeclaredServices implements Services {
  readonly #parts: ServicesParts;
  readonly #running: RunningService[] = [];
  #sockets: Promise<ScratchFolder> | undefined;
  #setup: Promise<void> | undefined;
  #programs: Promise<void> | undefined;
  #failure: SwitchyardError | undefined;
  #isOver = false;

  constructor(parts: ServicesParts) {
    this.#parts = parts;
  }

  get bridges(): readonly Bridge[] {
    return this.#running.flatMap(({ bridges }) => bridges);
  }

  async ready(stage: ServiceStage): Promise<void> {
    this.#setup ??= this.#startAll(({ after }) => after === undefined);
    await this.#setup;
    if (stage === 'programs') await (this.#programs ??= this.#startAll(({ after }) => after === 'setup'));
    if (this.#failure !== undefined) throw this.#failure;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await Promise.allSettled([this.#setup, this.#programs]);
    // The last one first: it may be at work with an earlier one.
    for (const service of this.#running.toReversed()) await service[Symbol.asyncDispose]();
    await (await this.#sockets)?.[Symbol.asyncDispose]();
  }

  async #startAll(which: (service: Service) => boolean): Promise<void> {
    for (const service of this.#parts.declared.filter(which)) await this.#start(service);
  }

  async #start(service: Service): Promise<void> {
    if (this.#isOver) throw new Error('the services of this run have been ended');
    const { signal, onEnded, temporary } = this.#parts;
    const parent = temporary.length <= LONGEST ? temporary : '/tmp';
    this.#sockets ??= makeScratchFolder(join(parent, 'switchyard-sv-'));
    const place = { ...this.#parts, sockets: (await this.#sockets).path };
    const running = await startService(place, { service, earlier: this.bridges, signal });
    this.#running.push(running);
    void running.ended.then(({ exit, output }) => {
      if (this.#isOver || this.#failure !== undefined) return;
      this.#failure = hasEnded(service, exit, output);
      onEnded(this.#failure);
    });
  }
}

/** What the kernel takes as the path of a socket is little over 100 bytes, of which folder and name need some fifty. */
const LONGEST = 50;

/** A sandbox whose programs find the services of the stage ready. */
export function withServices(sandbox: Sandbox, services: Services, stage: ServiceStage): Sandbox {
  const { terminal } = sandbox;
  return {
    ...sandbox,
    async spawn(program) {
      await services.ready(stage);
      return sandbox.spawn(program);
    },
    ...(terminal === undefined
      ? {}
      : {
          terminal: {
            ...terminal,
            async launch(program) {
              await services.ready(stage);
              return terminal.launch(program);
            },
          },
        }),
  };
}
