import type { Queries } from '../store/database.ts';
import { messagesOf } from '../store/messages.ts';
import { stepsOf } from '../store/steps.ts';

/** How much of an agent's last words is worth repeating. */
const WORDS = 2_000;

/** What a run's steps have done, in a few lines, made from the database alone. */
export async function summaryOf(queries: Queries, run: string): Promise<string> {
  const [steps, messages] = await Promise.all([stepsOf(queries, run), messagesOf(queries, run)]);
  return steps
    .filter((step) => step.state === 'ended')
    .map((step) => {
      const told = messages
        .filter((message) => message.step === step.id && message.heard_at !== null)
        .map(({ actor, text }) => `\n  ${actor.name} said: ${text.slice(0, WORDS)}`);
      const said = step.outputs?.['summary'];
      const words = typeof said === 'string' && said !== '' ? `\n  It said: ${said.slice(0, WORDS)}` : '';
      return `- ${step.node} #${step.n} ended in ${step.outcome ?? 'nothing'}.${step.detail === null ? '' : ` ${step.detail}`}${told.join('')}${words}`;
    })
    .join('\n');
}
