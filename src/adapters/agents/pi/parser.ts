import { NO_USAGE, type Usage } from '../../../domain/run.ts';
import type { AgentEvent, AgentParser, AgentResult, AgentTurn } from '../../../ports/agent.ts';
import { endedWithoutWord, jsonLine } from '../../../ports/agent-event-lines.ts';
import { agentFailure } from '../../../ports/agent-failure.ts';
import { toolInput } from '../../../ports/agent-tool-input.ts';
import { type Message, PiEvent, type PiUsage } from './events.ts';
import { failureOf } from './failure.ts';

export function piParser(turn: AgentTurn): AgentParser {
  return new PiParser(turn);
}

class PiParser implements AgentParser {
  readonly #turn: AgentTurn;
  /** The model's last answer, by which the turn is judged. */
  #answer: Message | undefined;
  #hasEnded = false;

  constructor(turn: AgentTurn) {
    this.#turn = turn;
  }

  line(text: string): readonly AgentEvent[] {
    const event = PiEvent.safeParse(jsonLine(text));
    return event.success && !this.#hasEnded ? this.#event(event.data) : [];
  }

  end(exit: { code: number | null; signal: string | null; stderr: string }): readonly AgentEvent[] {
    return this.#hasEnded ? [] : [end(this.#endedEarly(exit))];
  }

  #event(event: PiEvent): readonly AgentEvent[] {
    switch (event.type) {
      case 'session':
        return [{ kind: 'session', id: event.id }];
      case 'message_end':
        return event.message.role === 'assistant' ? this.#answered(event.message) : [];
      case 'tool_execution_start':
        return [{ kind: 'tool-started', call: event.toolCallId, name: event.toolName, input: toolInput(event.args) }];
      case 'tool_execution_end': {
        const output = textsIn(event.result).join('\n');
        return [{ kind: 'tool-ended', call: event.toolCallId, name: event.toolName, output, ok: !event.isError }];
      }
      case 'auto_retry_start': {
        const text = `${event.errorMessage}; pi tries again, ${event.attempt} of ${event.maxAttempts}`;
        return [{ kind: 'warning', text }];
      }
      case 'agent_settled':
        this.#hasEnded = true;
        return [end(this.#result())];
    }
  }

  #answered(message: Message): AgentEvent[] {
    this.#answer = message;
    const texts = textsIn(message).map((text): AgentEvent => ({ kind: 'text', text }));
    const usage = message.usage === undefined ? NO_USAGE : usageOf(message.usage);
    return usage.input + usage.output > 0 ? [...texts, { kind: 'usage', usage }] : texts;
  }

  #result(): AgentResult {
    const { stopReason, errorMessage } = this.#answer ?? {
      stopReason: 'error',
      errorMessage: 'the model was not asked',
    };
    if (stopReason !== 'error' && stopReason !== 'aborted') return { kind: 'done' };
    return { kind: 'failed', failure: failureOf(errorMessage || stopReason, this.#turn) };
  }

  #endedEarly(exit: { code: number | null; signal: string | null; stderr: string }): AgentResult {
    if (!/no session found/i.test(exit.stderr)) return endedWithoutWord(exit);
    return { kind: 'failed', failure: agentFailure(this.#turn, 'unknown-session', exit.stderr.trim()) };
  }
}

function textsIn({ content }: Pick<Message, 'content'>): string[] {
  return content.filter(({ type, text }) => type === 'text' && text !== '').map(({ text }) => text);
}

/** What came from a cache is not in pi's input. Without a price list, all its prices are nothing. */
function usageOf({ input, output, cacheRead, cacheWrite, reasoning, cost }: PiUsage): Usage {
  return {
    input: input + cacheRead + cacheWrite,
    output,
    cached: cacheRead,
    reasoning,
    cost: cost.total > 0 ? cost.total : null,
  };
}

function end(result: AgentResult): AgentEvent {
  return { kind: 'end', result };
}
