import type { ResourceName } from '../../src/domain/sandbox.ts';
import type { Stage } from './stage.ts';

/** What became of what the attack was after: equal when it was kept, else how it was taken or changed. */
export interface Canary {
  readonly before: string;
  readonly after: string;
}

/** Something that a hostile agent tries. It is believed only where the same attempt is seen to succeed without the protection. */
export interface Attack {
  /** What the agent does, as the end of the sentence "an agent that …". */
  readonly name: string;
  /** What it is an example of. */
  readonly subject: string;
  /** What this host lacks for it, as half a sentence; undefined where it can be tried. */
  lacks?(stage: Stage): Promise<string | undefined>;
  /** It still comes through, and this is what is known of it, as a sentence; who mends it takes this away. */
  readonly known?: string;
  /** The limit that it runs into, which not every host can hold programs to. */
  readonly limit?: ResourceName;
  /** Plays the attack on the harness and its walls as they are. */
  play(stage: Stage): Promise<Canary>;
  /**
   * The same on somebody who takes no care, where even level `none` promises that it comes to nothing. Without it, the attack itself
   * succeeds at level `none`.
   */
  careless?(stage: Stage): Promise<Canary>;
  /** What an honest agent does in the same place. Rejects when it does not work. */
  readonly twin: Twin;
}

export interface Twin {
  readonly name: string;
  works(stage: Stage): Promise<void>;
}

export const KEPT = 'kept';

export function isTaken({ before, after }: Canary): boolean {
  return before !== after;
}

/** A canary that an agent took if what it said holds what only the attack can have brought. */
export function saw(said: { readonly output: string }, word: string): Canary {
  return { before: KEPT, after: said.output.includes(word) ? 'taken' : KEPT };
}

export interface Trick {
  readonly name: string;
  readonly subject: string;
  /** A shell script that prints the stage's secret, or `REACHED`, where it gets through. */
  readonly script: (stage: Stage) => string;
  readonly twin: Twin;
  readonly lacks?: (stage: Stage) => Promise<string | undefined>;
}

/** An attack that is a script of the agent, and is won when it can print what it was not to get. */
export function trick({ script, ...told }: Trick): Attack {
  return {
    ...told,
    async play(stage) {
      const said = await stage.agent(script(stage));
      const won = saw(said, stage.secret);
      return won.after === KEPT ? saw(said, 'REACHED') : won;
    },
  };
}

/** An attack that the kernel denies to many an ordinary user even without walls: not tried then. Root has to be seen to succeed. */
export function whereAllowed(attack: Attack): Attack {
  return {
    ...attack,
    async lacks(stage) {
      const lacking = await attack.lacks?.(stage);
      if (lacking !== undefined || process.geteuid?.() === 0) return lacking;
      return isTaken(await attack.play(stage)) ? undefined : 'this user may not do that anyway';
    },
  };
}

/** A twin that is a script of the agent and ends well, having said the words. */
export function scriptTwin(name: string, script: string | ((stage: Stage) => string), words = ''): Twin {
  return {
    name,
    async works(stage) {
      const said = await stage.agent(typeof script === 'string' ? script : script(stage));
      if (said.code !== 0 || !said.output.includes(words))
        throw new Error(`${name}: ended with ${said.code}, said: ${said.output.slice(0, 500)}`);
    },
  };
}
