import { expect, test } from 'vitest';
import { engineFixture } from '../testing/engine-fixture.ts';

const nodes = Array.from(
  { length: 20 },
  (_, i) => `  n${i}: { command: x, next: ${i === 19 ? 'done' : `n${i + 1}`}, on: { fail: failed } }`,
).join('\n');
test('speed', async () => {
  await using f = await engineFixture();
  const w = await f.worker();
  for (let round = 0; round < 6; round++) {
    const before = w.statements.count;
    const t = performance.now();
    const id = await f.start(`name: t\nstart: n0\nnodes:\n${nodes}\n`);
    await f.reaches(id, 'succeeded');
    const total = performance.now() - t;
    const calls = await f.events(id);
    const times = calls.filter((e) => e.kind === 'attempt.started').map((e) => Date.parse(e.at));
    console.log(
      `run ${total.toFixed(0)} ms; per hop ${((times.at(-1)! - times[0]!) / 19).toFixed(2)} ms; statements ${w.statements.count - before}`,
      w.log,
    );
  }
  const before = w.statements.count;
  const t = performance.now();
  await new Promise((r) => setTimeout(r, 10_000));
  console.log(
    `idle statements per s: ${(((w.statements.count - before) / (performance.now() - t)) * 1000).toFixed(2)}`,
  );
  expect(1).toBe(1);
});
