import { formatDuration } from '../../domain/units.ts';
import type { AgentFailure } from '../../ports/agent.ts';
import type { StepResult } from '../../ports/node.ts';
import type { Checked } from './done-when.ts';
import { loopText } from './repetition.ts';
import { hasChanged } from './take-in.ts';
import { retryOfLast } from './try-again.ts';
import type { Conversation, Turns } from './turns.ts';

type Outcome = Extract<StepResult, { kind: 'outcome' }>;

/** How the step ends after its last turn: "done" is what the turn said, what has changed, and what the checks say, together. */
export function resultOf(conversation: Conversation, turns: Turns): StepResult {
  const { report, checked } = turns.at(-1) ?? turns[0];
  const { result } = report;
  const outputs = { summary: report.text, report: checked?.report ?? null };
  switch (result.kind) {
    case 'done':
      return hasChanged(conversation) || isAnswered(conversation)
        ? afterChecks(checked, outputs)
        : {
            kind: 'outcome',
            outcome: 'unchanged',
            outputs,
            detail: 'The agent said that it had finished, but nothing has changed.',
          };
    case 'failed':
      return {
        kind: 'outcome',
        outcome: 'error',
        outputs,
        detail: failureText(result.failure, turns),
        park: { code: `agent/${result.failure.class}`, needs: 'error' },
      };
    case 'stalled': {
      const silence = formatDuration(Math.round(result.silentMs / 1000) * 1000);
      const again = turns.some(({ saying }) => saying.why === 'silence') ? ', for the second time in this step' : '';
      return {
        kind: 'outcome',
        outcome: 'stalled',
        outputs,
        detail: `The agent said nothing for ${silence} while no tool was running (limit silence)${again}.`,
        park: { code: 'limit/silence', needs: 'limit' },
      };
    }
    case 'no-progress': {
      const detail = sentences(loopText(result.loop), `What it did until then is kept. ${NO_PROGRESS_HINT}`);
      return { kind: 'outcome', outcome: 'stalled', outputs, detail, park: NO_PROGRESS };
    }
    case 'timeout':
      return { kind: 'outcome', outcome: 'timeout', outputs, detail: 'The agent did not end in time.' };
    case 'limit': {
      const { kind: _, ...bound } = result;
      return { kind: 'limit', ...bound };
    }
    case 'cancelled':
      throw conversation.context.signal.reason;
  }
}

/** A person's word on work that is there need not change it; the run then goes its way with what it has. */
function isAnswered({ context: { step, run } }: Conversation): boolean {
  return step.followUp && run.head !== run.base.commit;
}

const NO_PROGRESS = { code: 'agent/no-progress', needs: 'limit' } as const;
const NO_PROGRESS_HINT =
  'Look at the work, then retry, or start another run with a clearer task, another agent or a higher limit (repeats).';

function afterChecks(checked: Checked | undefined, outputs: Outcome['outputs'] & object): StepResult {
  switch (checked?.kind) {
    case 'broken': {
      const detail = sentences(
        `${checked.names} could not run, so that nobody knows whether the work is done (done-when)`,
        checked.report.split('\n\n', 1)[0] ?? '',
      );
      return { kind: 'outcome', outcome: 'error', outputs, detail };
    }
    case 'no-progress': {
      const detail = sentences(checked.why, NO_PROGRESS_HINT);
      return { kind: 'outcome', outcome: 'stalled', outputs, detail, park: NO_PROGRESS };
    }
    case 'spent': {
      const { names, rounds } = checked;
      const detail = `The agent says that it has finished, but ${names} still fails after ${rounds} ${rounds === 1 ? 'round' : 'rounds'} of mending (done-when). A retry gives it as many again.`;
      return {
        kind: 'outcome',
        outcome: 'exhausted',
        outputs,
        detail,
        park: { code: 'limit/done-when', needs: 'limit' },
      };
    }
    case 'green':
    case 'red':
    case undefined:
      return { kind: 'outcome', outcome: 'done', outputs };
  }
}

function failureText({ message, hint }: AgentFailure, turns: Turns): string {
  const retry = retryOfLast(turns);
  const tries = turns.filter(({ saying }) => saying.why === 'failure').length;
  const asked = retry?.kind === 'give-up' ? retry.askedMs : undefined;
  const how = [
    ...(tries > 0 ? [`It was tried again ${tries === 1 ? 'once' : `${tries} times`}, in vain`] : []),
    ...(asked === undefined ? [] : [`The server asks to wait for ${formatDuration(asked)}: retry then`]),
  ];
  return sentences(message, ...how, hint);
}

/** All of them, each with its full stop. */
function sentences(...parts: readonly string[]): string {
  return parts
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => (/[.!?…:]$/.test(part) ? part : `${part}.`))
    .join(' ');
}
