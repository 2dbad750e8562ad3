import { expect, test } from 'vitest';
import { AgentEntry } from '../domain/agent-entry.ts';
import type { ModelMeter } from '../ports/model-gateway.ts';
import { engineFixture } from './fixture/engine-fixture.ts';

const PIPE = 'start: work\nnodes:\n  work: { agent: codex, next: done, on: { unchanged: failed } }';
const UPSTREAM = { host: 'api.example.com', credential: 'THE_KEY' };

test('budgets and teams that the owner of the machine changes hold for steps that are at work already', async () => {
  await using fixture = await engineFixture();
  const { host } = await fixture.worker();
  let meter: ModelMeter | undefined;
  const entry = AgentEntry.parse({ kind: 'codex' });
  Object.assign(host, {
    agents: { ...host.agents, entry: () => entry },
    openModel: async (request: { meter: ModelMeter }) => {
      ({ meter } = request);
      return { entry, env: {}, bridges: [], [Symbol.asyncDispose]: async () => undefined };
    },
  });
  const heard: string[] = [];
  const ask = async () => {
    const admission = await meter?.admit(UPSTREAM, new AbortController().signal);
    heard.push(admission?.kind === 'refused' ? admission.refusal.message : String(admission?.kind));
  };
  fixture.script.on('work', async ({ agents }) => {
    await agents.model('codex');
    await ask();
    meter?.used({
      id: 'call',
      model: 'known',
      tokens: { input: 100, output: 0, cached: 0, cacheWrite: 0, reasoning: 0 },
      estimated: true,
      cost: 0.1,
    });
    fixture.budgets = { budgets: [{ name: 'team', per: 'team', each: 'day', tokens: 100 }], teams: { web: ['eve'] } };
    await ask();
    fixture.budgets = { ...fixture.budgets, teams: { core: ['ada'] } };
    await ask();
    return { kind: 'outcome', outcome: 'done' };
  });
  await fixture.reaches(await fixture.start(PIPE), 'succeeded');
  expect(heard).toEqual(['admitted', 'admitted', expect.stringContaining('The team core has used 100 of 100 tokens')]);
});
