import { createInterface, type Interface } from 'node:readline';
import type { CommandContext } from './context.ts';

/** Asks the person at the terminal, line by line. Make one per command: it keeps lines that came before their question. */
export interface Questions extends Disposable {
  /** The answer without blanks around it; undefined when the input has ended or the signal aborts. */
  ask(question: string, signal?: AbortSignal): Promise<string | undefined>;
}

/**
 * The terminal itself edits the line (nothing is set to raw mode), so that Ctrl-C stays a signal and nothing is left behind however
 * the command ends.
 */
export function questions(context: CommandContext): Questions {
  const lines: string[] = [];
  let input: Interface | undefined;
  let ended = false;
  let wake: () => void = () => undefined;

  const open = (): Interface => {
    const opened = createInterface({ input: context.stdin, terminal: false });
    opened.on('line', (line) => {
      lines.push(line);
      wake();
    });
    opened.on('close', () => {
      ended = true;
      wake();
    });
    return opened;
  };

  return {
    ask: async (question, signal) => {
      context.stdout.write(question);
      input ??= open();
      if (!ended) input.resume();
      while (lines.length === 0 && !ended && signal?.aborted !== true) {
        await new Promise<void>((resolve) => {
          wake = resolve;
          signal?.addEventListener('abort', () => resolve(), { once: true });
        });
      }
      if (!ended) input.pause();
      const line = signal?.aborted === true ? undefined : lines.shift();
      // Where nobody pressed Enter, the line of the question is still open.
      if (line === undefined) context.stdout.write('\n');
      return line?.trim();
    },
    [Symbol.dispose]: () => {
      input?.close();
      if (input !== undefined) context.stdin.pause();
    },
  };
}
