import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import { linesOf } from '../../lib/exec/lines.ts';
import { keepTail } from '../../lib/exec/tail.ts';
import type { AgentEvent, AgentResult, AgentTurn } from '../../ports/agent.ts';
import type { Exit, SandboxedProcess } from '../../ports/sandbox.ts';
import type { Ability, Act, AgentUnderTest, PreparedAgent } from '../agent-contract.ts';
import { type TempFolder, tempFolder } from '../temp-repository.ts';

/** Leaves the case out when the agent lacks what it needs. */
export function needs(context: TestContext, { lacks }: AgentUnderTest, ...abilities: readonly Ability[]): void {
  const reason = abilities.map((ability) => lacks[ability]).find((text) => text !== undefined);
  if (reason !== undefined) context.skip(reason);
}

export interface PlayedTurn {
  readonly events: readonly AgentEvent[];
  readonly exit: Exit;
  readonly result: AgentResult | undefined;
  readonly session: string | undefined;
}

export interface Watching {
  readonly session?: AgentTurn['session'];
  readonly onSpawned?: (process: SandboxedProcess) => void;
  readonly onEvent?: (event: AgentEvent, process: SandboxedProcess) => void | Promise<void>;
}

/** One agent with a workspace and a HOME, asked turn by turn as the harness does it: a new process each time. */
export class Conversation implements AsyncDisposable {
  readonly workspace: string;
  readonly agent: PreparedAgent;
  readonly #subject: AgentUnderTest;
  readonly #temp: TempFolder;
  readonly #home: string;
  #steps = 0;

  private constructor(subject: AgentUnderTest, temp: TempFolder, agent: PreparedAgent) {
    this.#subject = subject;
    this.#temp = temp;
    this.agent = agent;
    this.workspace = join(temp.path, 'workspace');
    this.#home = join(temp.path, 'home');
  }

  static async begin(subject: AgentUnderTest, turns: readonly (readonly Act[])[]): Promise<Conversation> {
    const temp = await tempFolder('switchyard-agent');
    for (const name of ['workspace', 'home', 'agent']) await mkdir(join(temp.path, name));
    return new Conversation(subject, temp, await subject.prepare(turns, join(temp.path, 'agent')));
  }

  /** Asks, and plays the turn to its end, in a new session unless told otherwise. Whoever watches may stop the process. */
  async ask(prompt: string, { session = { kind: 'new' }, onSpawned, onEvent }: Watching = {}): Promise<PlayedTurn> {
    const { adapter, sandbox } = this.#subject;
    const turn = this.#turn(prompt, session);
    const command = await adapter.command(turn);
    const parser = adapter.parser(turn);
    await using process = await sandbox.spawn({ ...command, cwd: turn.folder });
    onSpawned?.(process);
    const events: AgentEvent[] = [];
    const take = async (news: readonly AgentEvent[]) => {
      for (const event of news) {
        events.push(event);
        await onEvent?.(event, process);
      }
    };
    const errors = keepTail(process.stderr);
    for await (const { text } of linesOf(process.stdout)) await take(parser.line(text));
    const exit = await process.exited;
    await take(parser.end({ ...exit, stderr: errors.text() }));
    const end = events.find((event) => event.kind === 'end');
    const started = events.find((event) => event.kind === 'session');
    return { events, exit, result: end?.result, session: started?.id };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.agent[Symbol.asyncDispose]();
    await this.#temp[Symbol.asyncDispose]();
  }

  #turn(prompt: string, session: AgentTurn['session']): AgentTurn {
    const { entry, hostEnv } = this.agent;
    const where = { folder: this.workspace, home: this.#home };
    return { entry, prompt, session, hostEnv, ...where, run: 'run1', node: 'implement', step: ++this.#steps };
  }
}
