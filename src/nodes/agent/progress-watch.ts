import type { AgentEvent } from '../../ports/agent.ts';
import { type Loop, Repetition } from './repetition.ts';

export interface ProgressOptions {
  readonly repeats: number;
  readonly now: () => number;
  /** What the workspace holds, in a form that can be compared. */
  readonly state: () => Promise<string>;
}

/**
 * Finds out whether an agent gets no further, over all turns of a step. The same call with the same result may have done something all the
 * same, so rounds of calls are a loop only where the last of them has left the workspace as it was. An agent's events come late: of
 * calls that follow each other within milliseconds the workspace tells nothing any more.
 */
export class ProgressWatch {
  readonly #options: ProgressOptions;
  readonly #repetition: Repetition;
  /** By length of a round: the workspace before the round that would be one too many. */
  readonly #before = new Map<number, string>();
  #loop: Loop | undefined;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#repetition = new Repetition(options.repeats, options.now);
  }

  /** The loop that the agent is in. */
  get loop(): Loop | undefined {
    return this.#loop;
  }

  /** Takes the events in order. Looks at the workspace, which the agent may be changing, only on suspicion. */
  async add(event: AgentEvent): Promise<void> {
    for (const sign of this.#repetition.add(event)) {
      if (this.#loop !== undefined) return;
      if (sign.kind === 'near') {
        this.#before.set(sign.round, await this.#options.state());
      } else if (sign.loop.kind === 'failure' || this.#before.get(sign.round) === (await this.#options.state())) {
        this.#loop = sign.loop;
      } else {
        this.#repetition.forgetRounds();
        return;
      }
    }
  }
}
