import type { Usage } from '../../../domain/run.ts';
import type { AgentEvent, AgentParser, AgentResult, AgentTurn } from '../../../ports/agent.ts';
import { CodexEvent, type ThreadUsage } from './events.ts';
import { endedEarly, failureOf } from './failure.ts';
import { usedByThread } from './rollout.ts';
import { ToolItems } from './tool-items.ts';

/** Made before codex starts: what the thread had used until then is read at once. */
export function codexParser(turn: AgentTurn): AgentParser {
  return new CodexParser(turn);
}

class CodexParser implements AgentParser {
  readonly #turn: AgentTurn;
  readonly #tools = new ToolItems();
  /** Codex counts a thread's tokens from its beginning, and a turn is to be told its own. */
  readonly #usedBefore: ThreadUsage | undefined;
  #thread: string | undefined;
  #hasEnded = false;

  constructor(turn: AgentTurn) {
    this.#turn = turn;
    this.#usedBefore = turn.session.kind === 'new' ? undefined : usedByThread(turn.home, turn.session.id);
  }

  line(text: string): readonly AgentEvent[] {
    const event = CodexEvent.safeParse(parsed(text));
    return event.success ? this.#event(event.data) : [];
  }

  end(exit: { code: number | null; signal: string | null; stderr: string }): readonly AgentEvent[] {
    if (this.#hasEnded) return [];
    return [...this.#unreportedUsage(), end(endedEarly(this.#turn, exit, this.#thread !== undefined))];
  }

  #event(event: CodexEvent): readonly AgentEvent[] {
    switch (event.type) {
      case 'thread.started':
        return this.#started(event.thread_id);
      case 'item.started':
        return this.#tools.started(event.item);
      case 'item.completed':
        return this.#tools.completed(event.item);
      case 'error':
        return [{ kind: 'warning', text: event.message }];
      case 'turn.completed':
      case 'turn.failed':
        break;
    }
    this.#hasEnded = true;
    if (event.type === 'turn.completed')
      return [{ kind: 'usage', usage: this.#ownUsage(event.usage) }, end({ kind: 'done' })];
    return [...this.#unreportedUsage(), end({ kind: 'failed', failure: failureOf(event.error.message, this.#turn) })];
  }

  /** An id that is not one of codex's own makes it start afresh without a word. */
  #started(thread: string): AgentEvent[] {
    this.#thread = thread;
    const { session } = this.#turn;
    const started: AgentEvent = { kind: 'session', id: thread };
    if (session.kind !== 'resume' || session.id === thread) return [started];
    return [started, { kind: 'warning', text: `codex did not find session ${session.id} and began a new one` }];
  }

  /** A turn that was cut short is not told what it used; the thread's file knows. */
  #unreportedUsage(): AgentEvent[] {
    const total = this.#thread === undefined ? undefined : usedByThread(this.#turn.home, this.#thread);
    if (total === undefined) return [];
    const usage = this.#ownUsage(total);
    return usage.input + usage.output > 0 ? [{ kind: 'usage', usage }] : [];
  }

  #ownUsage(total: ThreadUsage): Usage {
    const before = this.#usedBefore;
    const own = (field: keyof ThreadUsage) => Math.max(0, total[field] - (before?.[field] ?? 0));
    return {
      input: own('input_tokens'),
      output: own('output_tokens'),
      cached: own('cached_input_tokens'),
      reasoning: own('reasoning_output_tokens'),
      cost: null,
    };
  }
}

function end(result: AgentResult): AgentEvent {
  return { kind: 'end', result };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // something else wrote to the same output, or it is half a line
  }
}
