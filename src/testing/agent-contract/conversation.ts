import { cp, glob, mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, type TestContext } from 'vitest';
import { type Clock, systemClock } from '../../lib/clock.ts';
import { noCrashPoint } from '../../lib/crash-point.ts';
import { driveTurn } from '../../nodes/agent/drive.ts';
import type { TurnReport } from '../../nodes/agent/turn.ts';
import type { AgentAdapter, AgentEvent, AgentTurn } from '../../ports/agent.ts';
import type { Ability, Act, AgentUnderTest, PreparedAgent } from '../agent-contract.ts';
import { processesAtHome } from '../marked-processes.ts';
import { type TempFolder, tempFolder } from '../temp-repository.ts';

/** Leaves the case out when the agent lacks what it needs. */
export function needs(context: TestContext, { lacks }: AgentUnderTest, ...abilities: readonly Ability[]): void {
  const reason = abilities.map((ability) => lacks[ability]).find((text) => text !== undefined);
  if (reason !== undefined) context.skip(reason);
}

/** What is told of a turn while it goes on, in order, and what has come of it. */
export interface PlayedTurn extends TurnReport {
  readonly events: readonly AgentEvent[];
}

export interface Asking {
  readonly session?: AgentTurn['session'];
  /** Stops the turn when it resolves. */
  readonly stopWhen?: () => Promise<void> | undefined;
  readonly clock?: Clock;
  /** Beyond which number of them the turn is stopped. */
  readonly maxTurns?: number;
  /** Another way to start the same agent. */
  readonly adapter?: AgentAdapter;
}

/** Longer than any case takes, but for those that move the clock by it. */
export const SILENCE_MS = 10 * 60_000;

/** One agent with a workspace and a HOME, asked turn by turn as a run does it: a new process each time, of which nothing is left. */
export class Conversation implements AsyncDisposable {
  readonly agent: PreparedAgent;
  readonly #subject: AgentUnderTest;
  readonly #temp: TempFolder;
  #place = '';
  #steps = 0;

  private constructor(subject: AgentUnderTest, temp: TempFolder, agent: PreparedAgent) {
    this.#subject = subject;
    this.#temp = temp;
    this.agent = agent;
  }

  static async begin(subject: AgentUnderTest, turns: readonly (readonly Act[])[]): Promise<Conversation> {
    const temp = await tempFolder('switchyard-agent');
    await mkdir(join(temp.path, 'agent'));
    const conversation = new Conversation(subject, temp, await subject.prepare(turns, join(temp.path, 'agent')));
    await conversation.#settle('first');
    return conversation;
  }

  get workspace(): string {
    return join(this.#temp.path, this.#place, 'workspace');
  }

  get home(): string {
    return join(this.#temp.path, this.#place, 'home');
  }

  /** To another machine, as it were: a new workspace, and of the HOME only what a checkpoint has of it. */
  async move(): Promise<void> {
    const before = this.home;
    await this.#settle('second');
    for (const pattern of this.#subject.adapter.sessionFiles) {
      for await (const file of glob(pattern, { cwd: before })) {
        await mkdir(dirname(join(this.home, file)), { recursive: true });
        await cp(join(before, file), join(this.home, file), { recursive: true });
      }
    }
    await rm(dirname(before), { recursive: true });
  }

  /** Asks, and plays the turn to its end, in a new session unless told otherwise. */
  async ask(prompt: string, asking: Asking = {}): Promise<PlayedTurn> {
    const { stopWhen, clock = systemClock, adapter, session, maxTurns } = asking;
    const controller = new AbortController();
    const events: AgentEvent[] = [];
    this.agent.nextTurn?.();
    const stopping = stopWhen?.()?.then(() => controller.abort());
    const report = await driveTurn({
      adapter: adapter ?? this.#subject.adapter,
      turn: this.#turn(prompt, session),
      sandbox: this.#subject.sandbox,
      limits: { silenceMs: SILENCE_MS, turns: maxTurns === undefined ? undefined : { used: 0, max: maxTurns } },
      clock,
      signal: controller.signal,
      crashPoint: noCrashPoint,
      onEvent: (event) => void events.push(event),
    });
    await stopping;
    if (this.#subject.sandbox.level !== 'none') expect(processesAtHome(this.home), 'what is left of it').toEqual([]);
    return { ...report, events };
  }

  /** What the agent was asked in this conversation when it last began to work; agents may trim it. */
  async prompts(): Promise<string[]> {
    return (await this.agent.prompts()).map((prompt) => prompt.trim());
  }

  #turn(prompt: string, session: AgentTurn['session'] = { kind: 'new' }): AgentTurn {
    const { entry, hostEnv } = this.agent;
    const { sandbox } = this.#subject;
    const inside = { folder: sandbox.inside(this.workspace), home: sandbox.inside(this.home) };
    const where = { folder: this.workspace, home: this.home, inside };
    return { entry, prompt, session, hostEnv, ...where, run: 'run1', node: 'implement', step: ++this.#steps };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.agent[Symbol.asyncDispose]();
    await this.#temp[Symbol.asyncDispose]();
  }

  async #settle(place: string): Promise<void> {
    this.#place = place;
    await mkdir(this.workspace, { recursive: true });
    await mkdir(this.home, { recursive: true });
  }
}
