import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type { CrashPointName } from '../../src/lib/crash-point.ts';
import { waitUntil } from '../../src/lib/wait-until.ts';
import { Installation } from '../support/installation.ts';
import { leftForGood } from './leftovers.ts';
import { agentStarts, CONFIG, crashRepository, type EndState, endState, playRun, RECORDING } from './scenario.ts';

export type Victim = 'none' | 'daemon' | 'worker' | 'database';

export interface CaseResult {
  /** Whether the armed point was passed, and the victim died there. */
  readonly died: boolean;
  readonly end: EndState;
  /** What is left that must not be: processes, mounts, locks. */
  readonly left: readonly string[];
  /** Steps whose agent was started more often than there were attempts. */
  readonly doubled: readonly string[];
  readonly attempts: number;
}

/** Plays the whole run with one victim that dies at one point, and looks at what came of it. */
export async function crashCase(victim: Victim, point?: CrashPointName): Promise<CaseResult> {
  await using repository = await crashRepository();
  await using installation = await Installation.create({ config: CONFIG });
  const marks = join(installation.folder, 'agent-starts');
  const { writeFile } = await import('node:fs/promises');
  await writeFile(join(installation.home.folder, 'recording.yaml'), RECORDING(marks));
  const fleet = new Fleet(installation, victim, point);
  await fleet.begin();
  const run = await playRun(installation, repository, { revive: () => fleet.revive() });
  const died = await fleet.died();
  const starts = await agentStarts(marks, run);
  if (victim === 'worker') await fleet.clearAfterDead();
  const left = await leftForGood(installation, repository);
  return {
    died,
    end: await endState(repository, run),
    left,
    doubled: starts.filter(({ starts: n, attempts }) => n > attempts).map(({ step }) => step),
    attempts: run.steps.reduce((sum, step) => sum + step.attempts, 0),
  };
}

/** Daemon and workers of one case: which of them dies where, and who goes on. */
class Fleet {
  readonly #installation: Installation;
  readonly #victim: Victim;
  readonly #point: CrashPointName | undefined;
  #daemon: ChildProcess | undefined;
  #worker: ChildProcess | undefined;
  #successor: ChildProcess | undefined;
  /** All that were ever started. */
  readonly #everyone: ChildProcess[] = [];

  constructor(installation: Installation, victim: Victim, point: CrashPointName | undefined) {
    this.#installation = installation;
    this.#victim = victim;
    this.#point = point;
  }

  async begin(): Promise<void> {
    const armed: Record<string, string> = this.#point === undefined ? {} : { SWITCHYARD_CRASH_POINT: this.#point };
    switch (this.#victim) {
      case 'none':
        this.#daemon = await this.#start({});
        return;
      case 'daemon':
        this.#daemon = await this.#start(armed);
        return;
      case 'database':
        this.#daemon = await this.#start({ ...armed, SWITCHYARD_CRASH_VICTIM: 'database' });
        return;
      case 'worker':
        this.#daemon = await this.#start({});
        this.#worker = await this.#installation.startWorker('first', armed);
        this.#everyone.push(this.#worker);
        // The one that takes over is there from the time when the first has died.
        void onceEnded(this.#worker).then(
          async () => (this.#successor ??= await this.#installation.startWorker('second')),
        );
        return;
    }
  }

  /** Starts again what has died, without the crash point. */
  async revive(): Promise<void> {
    if (this.#daemon !== undefined && !hasEnded(this.#daemon)) return;
    this.#daemon = await this.#start({});
  }

  async #start(env: Readonly<Record<string, string>>): Promise<ChildProcess> {
    const daemon = await this.#installation.startDaemon(env, this.#victim === 'worker' ? ['--no-worker'] : []);
    this.#everyone.push(daemon);
    return daemon;
  }

  /** What a person does about the home of a worker that does not come back. */
  async clearAfterDead(): Promise<void> {
    const home = join(this.#installation.folder, 'first');
    const cleared = await this.#installation.cli(['doctor', '--fix'], { env: { SWITCHYARD_HOME: home } });
    if (cleared.code !== 0) throw new Error(cleared.stdout + cleared.stderr);
  }

  /** Whether the victim was killed where it was armed. */
  async died(): Promise<boolean> {
    const has = async () =>
      this.#victim === 'database'
        ? /has ended unasked/.test(await this.#installation.log())
        : this.#everyone.some((child) => child.signalCode === 'SIGKILL');
    if (this.#victim === 'none') return false;
    // The last effects of a run are over a moment before their victim is.
    return waitUntil(has, { timeoutMs: 5_000 }).then(
      () => true,
      () => false,
    );
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

function onceEnded(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => (hasEnded(child) ? resolve() : child.once('exit', () => resolve())));
}
