import type { Usage } from '../../../domain/run.ts';
import type { AgentEvent, AgentParser, AgentResult, AgentTurn } from '../../../ports/agent.ts';
import { jsonLine } from '../../../ports/agent-event-lines.ts';
import { CodexEvent, type ThreadUsage } from './events.ts';
import { endedEarly, failureOf } from './failure.ts';
import { usedByThread } from './rollout.ts';
import { ToolItems } from './tool-items.ts';

/** It says so after 3, 11, 24, 47 s, and so on. */
const WAITS_FOR_NETWORK = 2;

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
  #waitsForNetwork = 0;

  constructor(turn: AgentTurn) {
    this.#turn = turn;
    this.#usedBefore = turn.session.kind === 'new' ? undefined : usedByThread(turn.home, turn.session.id);
  }

  line(text: string): readonly AgentEvent[] {
    const event = CodexEvent.safeParse(jsonLine(text));
    return event.success && !this.#hasEnded ? this.#event(event.data) : [];
  }

  end(exit: { code: number | null; signal: string | null; stderr: string }): readonly AgentEvent[] {
    if (this.#hasEnded) return [];
    return [...this.#unreportedUsage(), end(endedEarly(this.#turn, exit, this.#thread !== undefined))];
  }

  #event(event: CodexEvent): readonly AgentEvent[] {
    if (event.type !== 'error') this.#waitsForNetwork = 0;
    switch (event.type) {
      case 'thread.started':
        return this.#started(event.thread_id);
      case 'item.started':
        return this.#tools.started(event.item);
      case 'item.completed':
        return this.#tools.completed(event.item);
      case 'error':
        return this.#warned(event.message);
      case 'turn.completed':
      case 'turn.failed':
        break;
    }
    if (event.type === 'turn.failed') return this.#failed(event.error.message);
    this.#hasEnded = true;
    return [{ kind: 'usage', usage: this.#ownUsage(event.usage) }, end({ kind: 'done' })];
  }

  /** Codex would wait for a network for ever; whoever runs it can try again better than by waiting with it. */
  #warned(message: string): AgentEvent[] {
    const warning: AgentEvent = { kind: 'warning', text: message };
    if (message.includes('waiting for network')) this.#waitsForNetwork += 1;
    return this.#waitsForNetwork < WAITS_FOR_NETWORK ? [warning] : [warning, ...this.#failed(message)];
  }

  #failed(message: string): AgentEvent[] {
    this.#hasEnded = true;
    return [...this.#unreportedUsage(), end({ kind: 'failed', failure: failureOf(message, this.#turn) })];
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
