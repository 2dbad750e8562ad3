import type { AgentParser } from '../../../ports/agent.ts';
import { endedWithoutWord } from '../../../ports/agent-event-lines.ts';

/** Each line is something said. There is no final event in plain text: that the program ended well is all that it can tell. */
export function textParser(): AgentParser {
  return {
    line: (text) => [{ kind: 'text', text }],
    end: (exit) => [{ kind: 'end', result: exit.code === 0 ? { kind: 'done' } : endedWithoutWord(exit) }],
  };
}
