import { constants } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, SwitchyardError } from '../error.ts';
import { type Ids, randomIds } from '../ids.ts';
import { errorCode, readControl, readWords, writeControl } from './control-file.ts';
import { makeGroupFolder, removeGroupFolders } from './group-folder.ts';
import { groupName, homeFolderName } from './group-name.ts';
import type { GroupPlace } from './group-place.ts';
import type { Argv, LimitBreach, LimitControl, LimitedGroup, LimitName, Limits } from './limits.ts';

/** Holds processes by control groups: one folder for each place, `switchyard-HOME/OWNER-UNIQUE`. */
export function cgroupControl(places: readonly GroupPlace[], homeId: string, ids: Ids = randomIds): LimitControl {
  const home = homeFolderName(homeId);
  return {
    enforces: places.flatMap(({ holds }) => holds),
    async start(limits) {
      const name = groupName(ids());
      const group = new CgroupGroup(limits);
      try {
        for (const place of places) group.add(place, join(place.parent, home, name));
        return group;
      } catch (error) {
        await group[Symbol.asyncDispose]();
        throw new SwitchyardError({
          code: 'resources/cannot-hold',
          message: `cannot make a control group that is held to its limits: ${messageOf(error)}`,
          hint: 'See `switchyard doctor`.',
          cause: error,
        });
      }
    },
  };
}

/**
 * Whether the place works: a group is made, the process is moved into it, and the kernel gives back what it was told. Undefined if so,
 * otherwise why not. Nothing is left of it; the process is ended.
 */
export async function whyUnusable(place: GroupPlace, homeId: string, pid: number): Promise<string | undefined> {
  const folder = join(place.parent, homeFolderName(homeId), groupName(randomIds()));
  const group = new CgroupGroup(TRIAL);
  try {
    group.add(place, folder);
    await group.admit([pid]);
    if (!readWords(folder, 'cgroup.procs').includes(`${pid}`)) return `${folder} does not take processes in`;
    const unheld = settingsOf(place, TRIAL).find(
      ({ file, text, isOptional }) => isOptional !== true && readControl(folder, file) !== text,
    );
    return unheld === undefined ? undefined : `${join(folder, unheld.file)} does not keep what it is told`;
  } catch (error) {
    const refused = error instanceof SwitchyardError ? error.cause : error;
    return REFUSALS.has(errorCode(refused) ?? '') ? NOT_OURS : messageOf(error);
  } finally {
    await group[Symbol.asyncDispose]();
  }
}

/** Why nothing is held, for a person. */
export const NOT_OURS =
  'the control groups that Switchyard runs in are not its to divide (under systemd, `systemd-run --user --scope -p Delegate=yes` starts a program in one that is)';

const REFUSALS = new Set(['EACCES', 'EPERM', 'EROFS']);
const TRIAL: Limits = { memory: 64 * 2 ** 20, cpus: 1, processes: 64 };

class CgroupGroup implements LimitedGroup {
  readonly #limits: Limits;
  readonly #made: { readonly place: GroupPlace; readonly folder: string }[] = [];
  #last: LimitBreach | undefined;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Makes its folder there, if there is something to hold. */
  add(place: GroupPlace, folder: string): void {
    const settings = settingsOf(place, this.#limits);
    if (settings.length === 0) return;
    makeGroupFolder(folder, (home) => place.prepare(home));
    this.#made.push({ place, folder });
    for (const { file, text, isOptional } of settings) {
      try {
        writeControl(folder, file, text);
      } catch (error) {
        if (isOptional !== true || errorCode(error) !== 'ENOENT') throw error;
      }
    }
  }

  get needsAdmission(): boolean {
    return this.#made.length > 0;
  }

  async admit(pids: readonly number[]): Promise<void> {
    for (const pid of pids) await Promise.all(this.#made.map(({ folder }) => admitTo(folder, pid)));
  }

  entering(argv: Argv): Argv {
    if (this.#made.length === 0) return argv;
    return [
      '/bin/sh',
      '-c',
      ENTER,
      'sh',
      ...this.#made.map(({ place, folder }) => join(folder, place.entry)),
      '',
      ...argv,
    ];
  }

  async breach(): Promise<LimitBreach | undefined> {
    if (this.#last === undefined) this.#last = this.#look();
    return this.#last;
  }

  #look(): LimitBreach | undefined {
    for (const { place, folder } of this.#made) {
      for (const limit of place.holds) {
        const max = this.#limits[limit];
        const breach = max === undefined ? undefined : place.breaches[limit]?.(folder, max);
        if (breach !== undefined) return breach;
      }
    }
    return undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.breach();
    await removeGroupFolders(this.#made.splice(0).map(({ folder }) => folder));
  }
}

function settingsOf(place: GroupPlace, limits: Limits): ReturnType<GroupPlace['settings']> {
  const held: Partial<Record<LimitName, number | undefined>> = {};
  for (const limit of place.holds) held[limit] = limits[limit];
  return place.settings(held);
}

/** An empty word ends the list of files. */
const ENTER = 'while [ -n "$1" ]; do echo 0 >"$1" || exit 126; shift; done; shift; exec "$@"';

async function admitTo(folder: string, pid: number): Promise<void> {
  try {
    // Not synchronously, as all else: the kernel may wait until no process starts or ends another.
    await writeFile(join(folder, 'cgroup.procs'), `${pid}`, { flag: constants.O_WRONLY });
  } catch (error) {
    if (errorCode(error) === 'ESRCH') return;
    throw new SwitchyardError({
      code: 'resources/cannot-admit',
      message: `cannot take process ${pid} into its control group: ${messageOf(error)}`,
      hint: 'See `switchyard doctor`.',
      cause: error,
    });
  }
}
