import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { codexAgent } from '../../src/adapters/agents/codex/index.ts';
import { AgentEntry } from '../../src/domain/agent-entry.ts';
import { waitUntil } from '../../src/lib/wait-until.ts';
import { step } from '../../src/nodes/agent/conversation-fixture.ts';
import { execute } from '../../src/nodes/agent/execute.ts';
import { ManualClock } from '../../src/testing/manual-clock.ts';
import { startModelServer, toolsUsed } from '../../src/testing/model-server.ts';
import { tempFolder } from '../../src/testing/temp-repository.ts';

// A whole step of the real Codex CLI, whose model is away for a while in the middle of the work.
const installed = fileURLToPath(new URL('../../node_modules/.bin', import.meta.url));

test('a turn that the model’s server cut off is tried again in its session, and the step is done', async () => {
  await using temp = await tempFolder();
  const clock = new ManualClock();
  let refusals = 0;
  await using server = await startModelServer((request) => {
    const wasToldAgain = request.messages.some(({ role, text }) => role === 'user' && text.includes('was cut off'));
    if (toolsUsed(request) === 0 && !wasToldAgain) return { tool: 'exec_command', input: { cmd: 'echo half > half' } };
    if (!wasToldAgain) {
      refusals += 1;
      return { status: 429, message: 'Rate limit reached. Please try again in 20s.' };
    }
    return toolsUsed(request) === 0
      ? { tool: 'exec_command', input: { cmd: 'echo whole > whole' } }
      : { text: 'Done.' };
  });
  const endpoint = { api: 'responses', baseUrl: server.baseUrl, key: { env: 'MODEL_KEY' } };
  const made = await step({
    folder: temp.path,
    clock,
    agent: {
      name: 'codex',
      adapter: codexAgent,
      entry: AgentEntry.parse({ kind: 'codex', model: 'scripted', endpoint }),
    },
    hostEnv: { PATH: `${installed}:${process.env['PATH']}`, MODEL_KEY: 'not-a-secret' },
  });
  const whole = execute(made.context);
  await waitUntil(() => made.said.some((text) => text.includes('trying again')), {
    timeoutMs: 60_000,
    what: 'the pause',
  });
  await clock.advance(60_000);
  expect(await whole).toMatchObject({ outcome: 'done', outputs: { summary: 'Done.' } });
  expect(refusals).toBeGreaterThan(0);
  expect(made.said.filter((text) => text.includes('again'))).toEqual([
    expect.stringMatching(/^codex: rate-limited \(.*\); trying again in .* \(2 of 3\)$/),
  ]);
  const { folder } = await made.context.workspace();
  expect(await readdir(folder)).toEqual(['half', 'whole']);
});
