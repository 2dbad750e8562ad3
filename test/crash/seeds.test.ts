import type { ChildProcess } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { Installation } from '../support/installation.ts';
import { crashCase } from './crash-case.ts';
import { leftForGood } from './leftovers.ts';
import { agentStarts, CONFIG, crashRepository, type EndState, endState, playRun, RECORDING } from './scenario.ts';
import { seededRandom } from './seeded-random.ts';

/**
 * Kills at moments that nobody has named: each seed chooses a victim, the act of the person after which the clock starts, and the
 * time. The seeds of one lane share a daemon's home, as runs of a person do.
 */
const SEEDS = Number(process.env['CRASH_SEEDS'] ?? 24);
const LANES = 2;

let undisturbed: EndState;

beforeAll(async () => {
  undisturbed = (await crashCase('none')).end;
}, 120_000);

test.concurrent.each(Array.from({ length: LANES }, (_, lane) => lane))(
  `random kills lose and double nothing (lane %i of ${LANES}, ${SEEDS} seeds in all)`,
  { timeout: 3_600_000 },
  async (lane) => {
    await using installation = await Installation.create({ config: CONFIG });
    const marks = join(installation.folder, 'agent-starts');
    await writeFile(join(installation.home.folder, 'recording.yaml'), RECORDING(marks));
    const killer = new Killer(installation);
    await killer.revive();
    let killed = 0;
    for (let seed = lane; seed < SEEDS; seed += LANES) {
      await using repository = await crashRepository();
      killer.arm(seed);
      const run = await playRun(installation, repository, {
        revive: () => killer.revive(),
        before: (act) => killer.begin(act),
      });
      killed += await killer.disarm();
      const context = `seed ${seed}: ${killer.plan}`;
      expect(await endState(repository, run), context).toEqual(undisturbed);
      expect(
        (await agentStarts(marks, run)).filter(({ starts, attempts }) => starts > attempts),
        context,
      ).toEqual([]);
      expect(await leftForGood(installation, repository), context).toEqual([]);
    }
    process.stdout.write(
      `lane ${lane}: ${Math.ceil((SEEDS - lane) / LANES)} seeds, ${killed} kills, all with the same end state\n`,
    );
    expect(killed).toBeGreaterThan(0);
  },
);

/** Kills the daemon or its database at a moment that the seed has chosen. */
class Killer {
  readonly #installation: Installation;
  #daemon: ChildProcess | undefined;
  #victim: 'daemon' | 'database' = 'daemon';
  #act = '';
  #afterMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #kills = 0;

  constructor(installation: Installation) {
    this.#installation = installation;
  }

  get plan(): string {
    return `the ${this.#victim} ${this.#afterMs} ms after "${this.#act}"`;
  }

  arm(seed: number): void {
    const random = seededRandom(seed);
    this.#victim = random() < 0.7 ? 'daemon' : 'database';
    this.#act = ['start', 'start', 'approve', 'discard'][Math.floor(random() * 4)] ?? 'start';
    this.#afterMs = Math.floor(random() * (this.#act === 'start' ? 1500 : 400));
    this.#kills = 0;
  }

  begin(act: string): void {
    if (act === this.#act) this.#timer = setTimeout(() => void this.#kill(), this.#afterMs);
  }

  /** How many were killed for this seed. */
  async disarm(): Promise<number> {
    clearTimeout(this.#timer);
    return this.#kills;
  }

  async revive(): Promise<void> {
    const daemon = this.#daemon;
    if (daemon !== undefined && daemon.exitCode === null && daemon.signalCode === null) return;
    this.#daemon = await this.#installation.startDaemon();
  }

  async #kill(): Promise<void> {
    if (this.#victim === 'daemon') {
      this.#kills += this.#daemon?.kill('SIGKILL') === true ? 1 : 0;
      return;
    }
    const pid = await this.#installation.databasePid();
    if (pid === undefined) return;
    process.kill(pid, 'SIGKILL');
    this.#kills += 1;
  }
}
