import { z } from 'zod';
import { runCommand } from '../../checks/command.ts';
import { defineNodeKind } from '../../domain/node-kind.ts';
import { WrittenSecrets } from '../../domain/secret.ts';
import { Duration } from '../../domain/units.ts';
import type { NodeKind, StepContext, StepResult } from '../../ports/node.ts';

const Fields = z.object({
  command: z.string().min(1),
  budget: Duration.optional(),
  /** Names of secrets that the command finds in its environment. */
  secrets: WrittenSecrets.optional(),
});
type Fields = z.output<typeof Fields>;

const DEFAULT_TIMEOUT_MS = 10 * 60_000;
/** How much of the output the next node and the journal get. */
const REPORT_LENGTH = 8 * 1024;

/** Any deterministic command in the workspace; what it changes is committed. */
export const commandNode: NodeKind = {
  descriptor: defineNodeKind({
    kind: 'command',
    fields: Fields,
    outcomes: ['pass', 'fail'],
    outputs: ['report', 'code'],
    references: ({ secrets = [] }) => ({ secrets }),
  }),
  mode: 'execute',
  agentic: false,
  execute,
};

async function execute(context: StepContext): Promise<StepResult> {
  const { command, budget, secrets = [] } = context.step.fields as Fields;
  const own = await context.secrets(secrets);
  const workspace = await context.workspace();
  const timeoutMs = budget ?? DEFAULT_TIMEOUT_MS;
  const ran = await runCommand({
    command,
    folder: workspace.folder,
    sandbox: context.sandbox,
    env: { ...context.commandEnv, ...own },
    redact: context.redact,
    timeoutMs,
    signal: context.signal,
    clock: context.clock,
  });
  const collected = await workspace.collect(context.commitText(`${context.step.node}: ${context.task.title}`));
  for (const note of collected.notes) await context.say('warning', note);
  const report = ran.output.text.slice(-REPORT_LENGTH);
  switch (ran.end.kind) {
    case 'exited': {
      const outputs = { report, code: ran.end.code };
      if (ran.end.code === 0) return { kind: 'outcome', outcome: 'pass', outputs };
      return { kind: 'outcome', outcome: 'fail', outputs, detail: `${command} ended with exit code ${ran.end.code}.` };
    }
    case 'signalled':
      return {
        kind: 'outcome',
        outcome: 'fail',
        outputs: { report, code: null },
        detail: `${command} was ended by ${ran.end.signal}.`,
      };
    case 'timeout':
      return {
        kind: 'outcome',
        outcome: 'timeout',
        outputs: { report, code: null },
        detail: `${command} did not end within ${timeoutMs / 1000} s.`,
      };
    case 'cannot-start':
      return { kind: 'outcome', outcome: 'error', outputs: { report, code: null }, detail: ran.end.message };
  }
}
