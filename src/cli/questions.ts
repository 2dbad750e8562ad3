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
  const waiting = new Answers();
  let input: Interface | undefined;
  return {
    ask: async (question, signal) => {
      context.stdout.write(question);
      input ??= listen(context, waiting);
      const line = await waiting.next(input, signal);
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

/** Lines that have come, and whoever waits for the next one. */
class Answers {
  readonly #lines: string[] = [];
  #ended = false;
  #wake: () => void = () => undefined;

  add(line: string): void {
    this.#lines.push(line);
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** Reads on only while somebody waits, so that a command that asks no more can end. */
  async next(input: Interface, signal: AbortSignal | undefined): Promise<string | undefined> {
    if (this.#lines.length === 0 && !this.#ended && signal?.aborted !== true) {
      input.resume();
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      signal?.addEventListener('abort', () => resolve(), { once: true });
      await promise;
      if (!this.#ended) input.pause();
    }
    return signal?.aborted === true ? undefined : this.#lines.shift();
  }
}

function listen(context: CommandContext, answers: Answers): Interface {
  const input = createInterface({ input: context.stdin, terminal: false });
  input.on('line', (line) => answers.add(line));
  input.on('close', () => answers.end());
  return input;
}
