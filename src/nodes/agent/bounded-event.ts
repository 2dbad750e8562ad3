import { type Redact, redactNothing } from '../../lib/redact.ts';
import type { AgentEvent } from '../../ports/agent.ts';

const MAX_LENGTH = 64 * 1024;

/**
 * The same event without secrets, and with no text in it longer than 64 K characters: of a longer one, beginning and end remain, with a note
 * between.
 */
export function boundedEvent(event: AgentEvent, redact: Redact = redactNothing): AgentEvent {
  switch (event.kind) {
    case 'text':
    case 'warning':
      return { ...event, text: bounded(redact(event.text)) };
    case 'tool-started':
      return { ...event, input: bounded(redact(event.input)) };
    case 'tool-ended':
      return { ...event, output: bounded(redact(event.output)) };
    case 'session':
    case 'usage':
    case 'end':
      break;
  }
  return event;
}

function bounded(text: string): string {
  if (text.length <= MAX_LENGTH) return text;
  const half = MAX_LENGTH / 2;
  const left = text.length - 2 * half;
  const parts = [text.slice(0, half), `\n[… ${left} characters were left out …]\n`, text.slice(-half)];
  return parts.join('').toWellFormed();
}
