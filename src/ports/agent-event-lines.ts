import { AgentEventLine } from '../domain/agent-event-line.ts';
import type { AgentParser, AgentResult } from './agent.ts';

/**
 * Reads an agent that writes `AgentEventLine`s. What is not JSON is noise and left out; what is JSON but not such a line becomes a warning, a
 * few times, since its author will want to know. A turn without an `end` line has failed, whatever the exit code says.
 */
export function agentEventLines(): AgentParser {
  let hasEnded = false;
  let warningsLeft = 3;
  return {
    line(text) {
      const value = jsonLine(text);
      if (value === undefined) return [];
      const line = AgentEventLine.safeParse(value);
      if (line.success) {
        hasEnded ||= line.data.kind === 'end';
        return [line.data];
      }
      if (warningsLeft-- <= 0) return [];
      return [{ kind: 'warning', text: `the agent wrote a line that is no event: ${text.slice(0, 200)}` }];
    },
    end: (exit) => (hasEnded ? [] : [{ kind: 'end', result: endedWithoutWord(exit) }]),
  };
}

/** The result of a program that ended without saying how its turn went. */
export function endedWithoutWord(exit: { code: number | null; signal: string | null; stderr: string }): AgentResult {
  const how = exit.signal === null ? `with exit code ${exit.code}` : `by ${exit.signal}`;
  const said = lastWords(exit.stderr);
  return {
    kind: 'failed',
    failure: {
      class: 'unknown',
      message: `the agent’s program ended ${how} before its turn did${said === '' ? '' : `: ${said}`}`,
      hint: 'Running the same command by hand may show more.',
    },
  };
}

/** The end of an error output, short enough for a message. */
export function lastWords(stderr: string, maxLength = 500): string {
  return stderr.trim().slice(-maxLength).toWellFormed();
}

/** The object in a line, or undefined: anything may write to an agent's output. */
export function jsonLine(text: string): object | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  try {
    return JSON.parse(text) as object;
  } catch {
    return undefined; // half a line, or a log message that begins with a brace
  }
}
