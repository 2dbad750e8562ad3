import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { SwitchyardError } from '../../../lib/error.ts';
import { type OpenFiles, openFilesFor } from '../../../lib/resources/open-files.ts';
import type { Enclosure, SandboxProgram } from '../../../ports/sandbox.ts';
import { bridgeWays, bubblewrapArguments, DESCRIPTORS } from './arguments.ts';
import type { WallsHost } from './host.ts';
import { distinct, type Part, readOnly } from './part.ts';
import { aroundProgram, toolchains } from './toolchains.ts';
import type { View } from './view.ts';
import type { WallFiles } from './wall-files.ts';

/** How to start one program in its walls. */
export interface Plan {
  /** bubblewrap's command line. A held one lets the program begin only when it has read something from the descriptor behind its others. */
  argv(options: { readonly isHeld: boolean }): readonly [string, ...string[]];
  /** What bubblewrap and all within are held to. */
  readonly openFiles: OpenFiles;
  /** What it reads at descriptor 4. */
  readonly arguments: string;
  /** The file that it reads at descriptor 5, if it has one. */
  readonly filter: string | undefined;
  readonly files: WallFiles;
  readonly name: string;
}

/** Plans for the programs of one enclosure. */
export class Planner {
  readonly #host: WallsHost;
  readonly #enclosure: Enclosure;
  readonly #view: View;
  readonly #toolchains = new Map<string, Promise<Part[]>>();
  readonly #programs = new Map<string, Promise<Part[]>>();

  constructor(host: WallsHost, { enclosure, view }: { enclosure: Enclosure; view: View }) {
    this.#host = host;
    this.#enclosure = enclosure;
    this.#view = view;
  }

  /** Rejects with `sandbox/cannot-start` where a mount, the program or its folder is not there. */
  async plan(program: SandboxProgram): Promise<Plan> {
    const { bwrap, bridge, hasFilter, system, resolver, proc } = this.#host;
    const { mounts, network, limits } = this.#enclosure;
    for (const { host } of mounts) mustExist(host);
    const { file, argv } = await this.#view.find(program);
    const cwd = this.#view.inside(program.cwd);
    const env: Readonly<Record<string, string>> = { ...program.env, PWD: cwd };
    const ways = bridgeWays(network);
    const within = ways.length === 0 ? argv : this.#overBridge(ways, { env, argv });
    const files = await this.#host.files.get();
    const { programs, over } = await this.#programParts(program, file);
    const parts = bubblewrapArguments({
      layers: {
        system: [
          ...system,
          { kind: 'show', host: files.etc, inside: '/etc', writable: false },
          ...(network.kind === 'open' ? resolver : []),
        ],
        proc,
        programs: [...programs, ...(ways.length === 0 ? [] : (bridge?.parts ?? []))],
        over,
        mounts: mounts.map((mount) => ({ kind: 'show', ...mount })),
      },
      network,
      env: ways.length === 0 ? env : split(env, bridge?.heldBack).rest,
      cwd,
      hasFilter,
    });
    return {
      argv: ({ isHeld }) => [
        bwrap,
        '--args',
        String(DESCRIPTORS.arguments),
        '--json-status-fd',
        String(DESCRIPTORS.status),
        ...(isHeld ? ['--block-fd', String(hasFilter ? DESCRIPTORS.filter + 1 : DESCRIPTORS.filter)] : []),
        '--',
        ...within,
      ],
      openFiles: openFilesFor(limits),
      arguments: nulSeparated(parts),
      filter: hasFilter ? files.filter : undefined,
      files,
      name: argv[0],
    };
  }

  #overBridge(
    ways: readonly string[],
    { env, argv }: { env: Readonly<Record<string, string>>; argv: readonly [string, ...string[]] },
  ): readonly [string, ...string[]] {
    const { bridge } = this.#host;
    if (bridge === undefined) throw cannotStart('there is nothing that could lead its ports out of the walls', PERL);
    return bridge.start({ ways, held: split(env, bridge.heldBack).held, argv });
  }

  async #programParts({ env, reads = [] }: SandboxProgram, file: string) {
    const { reads: ofMachine } = this.#host;
    const path = env['PATH'] ?? '';
    const found = [
      ...(await cached(this.#toolchains, path, () => this.#toolchainsOn(path))),
      ...(await cached(this.#programs, file, () => this.#aroundProgram(file))),
      ...[...reads, ...ofMachine].map(readOnly),
    ]
      // Such as a program that lies in the workspace: it is seen at the workspace's place.
      .filter(({ inside }) => this.#view.inside(inside) === inside)
      .toSorted((one, other) => one.inside.length - other.inside.length);
    const { over = [], programs = [] } = Object.groupBy(distinct(found), ({ inside }) =>
      this.#view.covers(inside) ? 'over' : 'programs',
    );
    return { over, programs };
  }

  /** A folder of a PATH is meant as programs see it: where a mount has it, it is the mount's. */
  async #toolchainsOn(path: string): Promise<Part[]> {
    const isOurs = await Promise.all(
      path.split(':').map(async (folder) => !this.#view.covers(folder) || (await isEmpty(this.#view.outside(folder)))),
    );
    const ours = path.split(':').filter((_folder, index) => isOurs[index]);
    const joined = ours.join(':');
    const { found, bounds } = this.#host;
    return found.ask(`folders ${joined}`, () => toolchains(joined, bounds));
  }

  /** What lies in a mount is looked at each time: it is the programs' own. */
  #aroundProgram(file: string): Promise<Part[]> {
    const { found, bounds } = this.#host;
    const look = () => aroundProgram(file, bounds);
    const isOurs = this.#view.inside(file) === file && !this.#view.covers(file);
    return isOurs ? found.ask(`program ${file}`, look) : look();
  }
}

/** Also true of what was left there to lay something over. */
async function isEmpty(folder: string): Promise<boolean> {
  const entries = await readdir(folder).catch(() => []);
  return entries.length === 0;
}

const PERL = 'Install perl.';

/** Looked for once: what is installed beside it later is seen in the next workspace. */
function cached(map: Map<string, Promise<Part[]>>, key: string, make: () => Promise<Part[]>): Promise<Part[]> {
  const known = map.get(key) ?? make();
  map.set(key, known);
  return known;
}

function split(env: Readonly<Record<string, string>>, held: RegExp | undefined) {
  const isHeld = ([name]: readonly [string, string]) => held?.test(name) === true;
  const entries = Object.entries(env);
  return {
    held: Object.fromEntries(entries.filter(isHeld)),
    rest: Object.fromEntries(entries.filter((entry) => !isHeld(entry))),
  };
}

function nulSeparated(words: readonly string[]): string {
  if (words.some((word) => word.includes('\0'))) {
    throw cannotStart('a path or a variable holds a zero byte', 'Correct it where it is written.');
  }
  return words.map((word) => `${word}\0`).join('');
}

function mustExist(path: string): void {
  if (!existsSync(path))
    throw cannotStart(`${path}, which it is to see, does not exist`, 'The workspace may have been removed.');
}

function cannotStart(why: string, hint: string): SwitchyardError {
  return new SwitchyardError({
    code: 'sandbox/cannot-start',
    message: `cannot start a program in its walls: ${why}`,
    hint,
  });
}
