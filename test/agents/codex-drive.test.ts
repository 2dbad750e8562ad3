import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { codexAgent } from '../../src/adapters/agents/codex/index.ts';
import { AgentEntry } from '../../src/domain/agent-entry.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { noCrashPoint } from '../../src/lib/crash-point.ts';
import { driveTurn } from '../../src/nodes/agent/drive.ts';
import type { DriveRequest, TurnReport } from '../../src/nodes/agent/turn.ts';
import type { AgentEvent } from '../../src/ports/agent.ts';
import { ManualClock } from '../../src/testing/manual-clock.ts';
import { processesWith, strayScript, uniqueSleep, untilProcessesWith } from '../../src/testing/marked-processes.ts';
import { type ModelReply, type ModelRequest, startModelServer, toolsUsed } from '../../src/testing/model-server.ts';
import { tempFolder } from '../../src/testing/temp-repository.ts';
import { bestSandbox } from './host.ts';

// The whole way of a turn: the real Codex CLI, driven in a sandbox, with a model that answers as each case says.
const sandbox = await bestSandbox();
const MODEL_KEY = 'not-a-secret';
const installed = fileURLToPath(new URL('../../node_modules/.bin', import.meta.url));

test('a turn with a tool is done, with its text, its usage and its session', async () => {
  const { report, events } = await drive(oneTool('echo hello'));
  expect(report).toMatchObject({ result: { kind: 'done' }, text: 'That is all.', turns: 2 });
  expect(report.usage).toMatchObject({ input: 200, output: 20 });
  expect(report.session).toMatch(/^[0-9a-f-]{36}$/);
  expect(events.filter(({ kind }) => kind !== 'warning').map(({ kind }) => kind)).toEqual([
    'session',
    'tool-started',
    'tool-ended',
    'text',
    'usage',
    'end',
  ]);
});

test('a cancelled turn leaves nothing behind, and tells what it used', async () => {
  const sleep = uniqueSleep();
  const controller = new AbortController();
  const { report } = await drive(oneTool(`${strayScript(sleep)}; sleep ${sleep}`), {
    signal: controller.signal,
    onEvent: (event) => {
      if (event.kind === 'tool-started') void untilProcessesWith(sleep, 4).then(() => controller.abort());
    },
  });
  expect(report).toMatchObject({ result: { kind: 'cancelled' }, usage: { input: 100, output: 10 } });
  expect(processesWith(sleep)).toEqual([]);
});

test('a model that never answers is a stalled turn', async () => {
  const clock = new ManualClock();
  const { report } = await drive(
    () => {
      // The agent has said all that it says before an answer; only time is missing.
      setImmediate(() => void clock.advance(120_000).then(() => clock.advance(120_000)));
      return { hang: true };
    },
    { clock },
  );
  expect(report.result).toMatchObject({ kind: 'stalled' });
});

test('an agent that goes on and on is stopped at its turns', async () => {
  const { report } = await drive(() => ({ tool: 'exec_command', input: { cmd: 'true' } }), {
    limits: { silenceMs: 60_000, turns: { used: 1, max: 4 } },
  });
  expect(report.result).toEqual({ kind: 'limit', limit: 'turns', used: 5, max: 4 });
});

test('a key that the server refuses is told as such', async () => {
  const { report } = await drive(oneTool('true'), {}, 'another-key');
  expect(report.result).toMatchObject({
    kind: 'failed',
    failure: { class: 'auth', message: expect.stringContaining('401') },
  });
});

test('the key is not in the environment of what the agent runs', async () => {
  const { events } = await drive(oneTool('env'));
  const output = events.flatMap((event) => (event.kind === 'tool-ended' ? [event.output] : [])).join('');
  expect(output).toContain('SWITCHYARD_RUN=run1');
  expect(output).not.toContain(MODEL_KEY);
});

function oneTool(cmd: string): (request: ModelRequest) => ModelReply {
  return (request) => (toolsUsed(request) === 0 ? { tool: 'exec_command', input: { cmd } } : { text: 'That is all.' });
}

async function drive(
  reply: (request: ModelRequest) => ModelReply,
  more: Partial<DriveRequest> = {},
  key = MODEL_KEY,
): Promise<{ report: TurnReport; events: AgentEvent[] }> {
  await using temp = await tempFolder();
  const [folder, home] = [join(temp.path, 'workspace'), join(temp.path, 'home')];
  await mkdir(folder);
  await using server = await startModelServer(reply, { key: MODEL_KEY });
  const events: AgentEvent[] = [];
  const { onEvent } = more;
  const endpoint = { api: 'responses', baseUrl: server.baseUrl, key: { env: 'MODEL_KEY' } };
  const report = await driveTurn({
    adapter: codexAgent,
    turn: {
      entry: AgentEntry.parse({ kind: 'codex', model: 'scripted', endpoint }),
      prompt: 'Do it',
      folder,
      home,
      session: { kind: 'new' },
      run: 'run1',
      node: 'implement',
      step: 1,
      hostEnv: { PATH: `${installed}:${process.env['PATH']}`, MODEL_KEY: key },
    },
    sandbox,
    limits: { silenceMs: 60_000 },
    clock: systemClock,
    signal: new AbortController().signal,
    crashPoint: noCrashPoint,
    ...more,
    onEvent: (event) => {
      events.push(event);
      return onEvent?.(event);
    },
  });
  return { report, events };
}
