/** What programs may use together; what is left out is not bounded. */
export interface Limits {
  /** Bytes, page cache included as long as it cannot be dropped. Swap counts as nothing: there is none within the limit. */
  readonly memory?: number | undefined;
  /** Cores, also a part of one. */
  readonly cpus?: number | undefined;
  /** Processes and threads, the one that launches the program included. */
  readonly processes?: number | undefined;
  /** Bytes; see disk-watch.ts. */
  readonly disk?: number | undefined;
}
export type LimitName = keyof Limits;

/** A limit that was run into: a process was ended for it, or refused what it asked for. */
export interface LimitBreach {
  readonly limit: LimitName;
  readonly max: number;
  /** What it came to at most, where the kernel tells. */
  readonly used?: number;
}

/** A program and its arguments. */
export type Argv = readonly [string, ...string[]];

/** Makes groups of processes that are held to limits. */
export interface LimitControl {
  /** What it holds groups to. */
  readonly enforces: readonly LimitName[];
  /** Makes a group for those of the limits that it enforces. Rejects with `resources/cannot-hold`; nothing is left then. */
  start(limits: Limits): Promise<LimitedGroup>;
}

/**
 * One group. Disposing ends what still lives in it, and then removes it from the host; rejects with `wait/timeout` where something in it
 * does not end within ten seconds.
 */
export interface LimitedGroup extends AsyncDisposable {
  /** Whether it is held to anything at all. */
  readonly needsAdmission: boolean;
  /**
   * Takes processes in, by their pids as this process sees them; what they start from then on belongs to it too, what they have started
   * before does not. One that has ended meanwhile is passed over. Rejects with `resources/cannot-admit`. The kernel may take ten
   * milliseconds and more for it.
   */
  admit(pids: readonly number[]): Promise<void>;
  /**
   * The same command, begun by a shell on the host that takes itself in and then becomes the program: it need not be admitted, nothing of
   * it is ever outside, and with control groups of version 1 that takes no time. It ends with 126 and a word on standard error where it is not let in. Undefined
   * where a program cannot take itself in.
   */
  entering(argv: Argv): Argv | undefined;
  /** The first limit that was run into so far; after disposing, what it was then. Processor time is never among them: it only slows. */
  breach(): Promise<LimitBreach | undefined>;
}

/** One control out of several that enforce different limits. */
export function together(controls: readonly LimitControl[]): LimitControl {
  return {
    enforces: controls.flatMap(({ enforces }) => enforces),
    async start(limits) {
      await using undo = new AsyncDisposableStack();
      const groups: LimitedGroup[] = [];
      for (const control of controls) groups.push(undo.use(await control.start(limits)));
      const made = undo.move();
      return {
        needsAdmission: groups.some(({ needsAdmission }) => needsAdmission),
        async admit(pids) {
          for (const group of groups) await group.admit(pids);
        },
        entering: (argv) =>
          groups.reduce<Argv | undefined>(
            (inner, group) => (inner === undefined ? undefined : group.entering(inner)),
            argv,
          ),
        async breach() {
          for (const group of groups) {
            const breach = await group.breach();
            if (breach !== undefined) return breach;
          }
          return undefined;
        },
        [Symbol.asyncDispose]: () => made.disposeAsync(),
      };
    },
  };
}
