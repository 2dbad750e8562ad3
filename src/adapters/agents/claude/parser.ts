import type { AgentEvent, AgentParser, AgentResult, AgentTurn } from '../../../ports/agent.ts';
import { endedWithoutWord, jsonLine } from '../../../ports/agent-event-lines.ts';
import { toolInput } from '../../../ports/agent-tool-input.ts';
import { type Block, type ClaudeAnswer, ClaudeEvent, type ClaudeResult } from './events.ts';
import { failureOf } from './failure.ts';
import { usedBefore } from './session-file.ts';
import { TurnUsage } from './usage.ts';

/** Made before claude starts: what the session had used until then is read at once. */
export function claudeParser(turn: AgentTurn): AgentParser {
  return new ClaudeParser(turn);
}

class ClaudeParser implements AgentParser {
  readonly #turn: AgentTurn;
  readonly #usage: TurnUsage;
  readonly #tools = new Map<string, string>();
  /** The last thing that claude said in the model's place. */
  #apology: ClaudeAnswer | undefined;
  #hasEnded = false;

  constructor(turn: AgentTurn) {
    this.#turn = turn;
    this.#usage = new TurnUsage(usedBefore(turn));
  }

  line(text: string): readonly AgentEvent[] {
    const event = ClaudeEvent.safeParse(jsonLine(text));
    return event.success && !this.#hasEnded ? this.#event(event.data) : [];
  }

  end(exit: { code: number | null; signal: string | null; stderr: string }): readonly AgentEvent[] {
    return this.#hasEnded ? [] : [end(endedWithoutWord(exit))];
  }

  #event(event: ClaudeEvent): readonly AgentEvent[] {
    switch (event.type) {
      case 'system':
        return toldBySystem(event);
      case 'assistant':
        return this.#answered(event);
      case 'user':
        return event.message.content.flatMap((block) => this.#block(block));
      case 'result':
        break;
    }
    this.#hasEnded = true;
    return [...this.#usage.result(event), end(this.#resultOf(event))];
  }

  #answered(answer: ClaudeAnswer): AgentEvent[] {
    if (answer.is_api_error_message) {
      this.#apology = answer;
      return [];
    }
    return [...answer.message.content.flatMap((block) => this.#block(block)), ...this.#usage.answer(answer)];
  }

  #block(block: Block): AgentEvent[] {
    switch (block.type) {
      case 'text':
        return block.text === '' ? [] : [{ kind: 'text', text: block.text }];
      case 'tool_use':
        this.#tools.set(block.id, block.name);
        return [{ kind: 'tool-started', call: block.id, name: block.name, input: toolInput(block.input) }];
      case 'tool_result': {
        const name = this.#tools.get(block.tool_use_id);
        if (name === undefined) return [];
        this.#tools.delete(block.tool_use_id);
        const output = textOf(block.content);
        return [{ kind: 'tool-ended', call: block.tool_use_id, name, output, ok: block.is_error !== true }];
      }
      case 'other':
        return [];
    }
  }

  #resultOf(result: ClaudeResult): AgentResult {
    if (result.subtype === 'success' && !result.is_error) return { kind: 'done' };
    return { kind: 'failed', failure: failureOf(result, this.#apology, this.#turn) };
  }
}

function toldBySystem(event: Extract<ClaudeEvent, { type: 'system' }>): AgentEvent[] {
  if (event.subtype === 'init' && event.session_id !== '') return [{ kind: 'session', id: event.session_id }];
  if (event.subtype !== 'api_retry') return [];
  const status = typeof event.error_status === 'number' ? `, status ${event.error_status}` : '';
  const text = `a request failed (${event.error}${status}); claude tries again, ${event.attempt} of ${event.max_retries}`;
  return [{ kind: 'warning', text }];
}

/** A result is a text, or a list of parts of which those with text are taken. */
function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .flatMap((part: unknown) =>
      typeof part === 'object' && part !== null && 'text' in part && typeof part.text === 'string' ? [part.text] : [],
    )
    .join('\n');
}

function end(result: AgentResult): AgentEvent {
  return { kind: 'end', result };
}
