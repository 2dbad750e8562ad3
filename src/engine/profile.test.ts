import { test } from 'vitest';
import { engineFixture } from '../testing/engine-fixture.ts';

const nodes = Array.from({ length: 20 }, (_, i) => `  n${i}: { command: x, next: ${i === 19 ? 'done' : `n${i + 1}`}, on: { fail: failed } }`).join('\n');
test('profile', async () => {
  await using f = await engineFixture();
  const w = await f.worker();
  const log: [string, number][] = [];
  (w.statements as any).log = log;
  for (let round = 0; round < 4; round++) {
    log.length = 0;
    const cpu = process.cpuUsage();
    const id = await f.start(`name: t\nstart: n0\nnodes:\n${nodes}\n`);
    await f.reaches(id, 'succeeded');
    const used = process.cpuUsage(cpu);
    const events = await f.events(id);
    const times = events.filter((e) => e.kind === 'attempt.started').map((e) => Date.parse(e.at));
    console.log(`per hop ${((times.at(-1)! - times[0]!) / 19).toFixed(2)} ms; cpu node ${((used.user + used.system) / 20e3).toFixed(2)} ms/hop`);
  }
  const sums = new Map<string, [number, number]>();
  for (const [t, ms] of log) { const k = t.replace(/\s+/g, ' ').slice(0, 90); const s = sums.get(k) ?? [0, 0]; sums.set(k, [s[0] + 1, s[1] + ms]); }
  for (const [k, [n, ms]] of [...sums].sort((a, b) => b[1][1] - a[1][1])) console.log(String(n).padStart(4), (ms / n).toFixed(2), k);
});
