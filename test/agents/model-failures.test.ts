import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { claudeAgent } from '../../src/adapters/agents/claude/index.ts';
import { codexAgent } from '../../src/adapters/agents/codex/index.ts';
import { piAgent } from '../../src/adapters/agents/pi/index.ts';
import type { AgentEntry } from '../../src/domain/agent-entry.ts';
import type { Problem } from '../../src/gateway/model/wire.ts';
import { wireOf } from '../../src/gateway/model/wires/index.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { noCrashPoint } from '../../src/lib/crash-point.ts';
import { driveTurn } from '../../src/nodes/agent/drive.ts';
import type { AgentAdapter } from '../../src/ports/agent.ts';
import { tempFolder } from '../../src/testing/temp-repository.ts';
import { turnIn } from '../../src/testing/turn-in.ts';
import { bestSandbox, installed } from './host.ts';

// What the real agents make of the failures that the gateway answers with.
const sandbox = await bestSandbox();

type Api = NonNullable<AgentEntry['endpoint']>['api'];
const AGENTS: readonly (readonly [name: string, AgentAdapter, Api])[] = [
  ['claude', claudeAgent, 'anthropic'],
  ['codex', codexAgent, 'responses'],
  ['pi with chat', piAgent, 'chat'],
  ['pi with responses', piAgent, 'responses'],
  ['pi with anthropic', piAgent, 'anthropic'],
];

const FINAL: readonly (readonly [Problem, failureClass: string])[] = [
  [{ status: 401, kind: 'auth', message: 'a.test does not take the key in MY_KEY.' }, 'auth'],
  [{ status: 403, kind: 'refused', message: 'The model m is not among those that may be used.' }, 'unknown'],
  [{ status: 402, kind: 'limit', message: 'The run has used 5.00 of 5.00 US dollars.' }, 'quota'],
  [{ status: 429, kind: 'quota', message: 'This account at a.test has nothing left until noon.' }, 'quota'],
];
const cases = AGENTS.flatMap(([name, adapter, api]) =>
  FINAL.map(([problem, failureClass]) => ({ name, adapter, api, problem, kind: problem.kind, failureClass })),
);

test.each(cases)(
  '$name shows what is final ($kind), and asks once',
  async ({ adapter, api, problem, failureClass }) => {
    const { asked, result } = await work(adapter, api, problem);
    expect(result).toMatchObject({
      failure: { class: failureClass, message: expect.stringContaining(problem.message) },
    });
    expect(asked).toBe(1);
  },
);

test.each(AGENTS)('%s asks again where nobody was reached', async (_name, adapter, api) => {
  const problem: Problem = { status: 502, kind: 'unreachable', message: 'a.test cannot be reached: ECONNREFUSED' };
  const { asked, result } = await work(adapter, api, problem);
  expect(result).toMatchObject({ failure: { class: 'network', message: expect.stringContaining(problem.message) } });
  expect(asked).toBeGreaterThan(1);
});

/** A turn whose model is never reached; with how often it was asked. */
async function work(adapter: AgentAdapter, api: Api, problem: Problem) {
  await using temp = await tempFolder();
  const [folder, home] = [join(temp.path, 'workspace'), join(temp.path, 'home')];
  await mkdir(folder);
  await mkdir(home);
  let asked = 0;
  const wire = wireOf(api);
  const server = createServer((request, response) => {
    if (request.method === 'POST') asked += 1;
    request.resume().once('end', () => {
      const { status, headers } = wire.failureHead(problem);
      response.writeHead(status, { 'content-type': 'application/json', connection: 'close', ...headers });
      response.end(JSON.stringify(wire.failure(problem)));
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  try {
    const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
    const model = adapter.kind === 'claude' ? 'claude-opus-5-5' : 'scripted';
    const { result } = await driveTurn({
      adapter,
      turn: turnIn(
        folder,
        { kind: adapter.kind, model, endpoint: { api, baseUrl, key: { env: 'MODEL_KEY' } } },
        {
          prompt: 'Do it',
          home,
          inside: { folder, home },
          hostEnv: { PATH: installed, MODEL_KEY: 'not-a-secret' },
        },
      ),
      sandbox,
      limits: { silenceMs: 60_000 },
      clock: systemClock,
      signal: new AbortController().signal,
      crashPoint: noCrashPoint,
      onEvent: () => undefined,
    });
    return { asked, result };
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
