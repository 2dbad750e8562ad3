import type { RunDetail } from '../api/schemas/run.ts';
import type { Server } from './connect.ts';
import type { CommandContext } from './context.ts';
import type { Questions } from './questions.ts';
import { patchLines, statLines } from './render/diff.ts';
import { isNoteHeard } from './render/state.ts';
import { styleOf } from './render/style.ts';
import type { Decision } from './watch-run.ts';

interface Choice {
  readonly key: string;
  readonly label: string;
  readonly choice: string;
}

const CHOICES: readonly Choice[] = [
  { key: 'a', label: '[a]pprove', choice: 'approved' },
  { key: 'c', label: '[c]hanges', choice: 'changes' },
  { key: 'r', label: '[r]etry', choice: 'retry' },
  { key: 'b', label: 'a[b]andon', choice: 'abandoned' },
];

/** Asks the person at the terminal what a run that waits for an approval is to do. Undefined: later. */
export async function askForDecision(
  context: CommandContext,
  server: Server,
  { run, questions, signal }: { run: RunDetail; questions: Questions; signal: AbortSignal },
): Promise<Decision | undefined> {
  if (run.state.kind !== 'parked' || run.state.needs.kind !== 'approval') return undefined;
  const style = styleOf(context.stdout, context.env);
  const diff = await server.client.call('diffRun', {}, { run: run.id });
  print(context, statLines(diff.stat, style));
  const offered = choicesFor(run.state.needs.choices);
  const question = `${[...offered.map(({ label }) => label), '[d]iff', '[l]ater'].join('  ')}? `;
  for (;;) {
    const answer = (await questions.ask(question, signal))?.toLowerCase();
    if (answer === undefined || isMeant(answer, 'l', 'later')) return undefined;
    if (isMeant(answer, 'd', 'diff')) {
      print(context, patchLines(diff.patch, style));
      continue;
    }
    const chosen = offered.find(({ key, choice }) => isMeant(answer, key, choice));
    if (chosen === undefined) {
      print(context, [`Answer with ${keysOf(offered)}, or with its word, and then press Enter.`]);
      continue;
    }
    if (chosen.choice === 'retry' && isNoteHeard(run.state.needs)) {
      const note = await questions.ask('What should its agent know? (Enter alone: nothing) ', signal);
      return note === undefined ? undefined : { choice: 'retry', ...(note === '' ? {} : { note }) };
    }
    if (chosen.choice !== 'changes') return { choice: chosen.choice };
    const note = await questions.ask('What should be different? ', signal);
    if (note !== undefined && note !== '') return { choice: 'changes', note };
  }
}

/** Known answers by their letter, others by number. To try again is only worth a mention where nothing can be approved. */
function choicesFor(choices: readonly string[]): Choice[] {
  const known = CHOICES.filter(
    ({ choice }) => choices.includes(choice) && !(choice === 'retry' && choices.includes('approved')),
  );
  const others = choices.filter((choice) => !CHOICES.some((one) => one.choice === choice));
  return [
    ...known,
    ...others.map((choice, index) => ({ key: String(index + 1), label: `[${index + 1}] ${choice}`, choice })),
  ];
}

function keysOf(offered: readonly Choice[]): string {
  return `${[...offered.map(({ key }) => key), 'd'].join(', ')} or l`;
}

function isMeant(answer: string, key: string, word: string): boolean {
  return answer === key || answer === word || (answer.length > 1 && word.startsWith(answer));
}

function print(context: CommandContext, lines: readonly string[]): void {
  context.stdout.write(lines.map((line) => `${line}\n`).join(''));
}
