import { test } from 'vitest';
import { engineFixture } from '../testing/engine-fixture.ts';

const nodes = Array.from(
  { length: 20 },
  (_, i) => `  n${i}: { command: x, next: ${i === 19 ? 'done' : `n${i + 1}`}, on: { fail: failed } }`,
).join('\n');
test('profile', async () => {
  await using f = await engineFixture();
  const w = await f.worker();
  const log: [string, number][] = [];
  (w.statements as any).log = log;
  for (let round = 0; round < 6; round++) {
    log.length = 0;
    const cpu = process.cpuUsage();
    const id = await f.start(`name: t\nstart: n0\nnodes:\n${nodes}\n`);
    await new Promise((r) => setTimeout(r, 1200));
    await f.reaches(id, 'succeeded');
    const used = process.cpuUsage(cpu);
    const events = await f.events(id);
    const times = events.filter((e) => e.kind === 'attempt.started').map((e) => Date.parse(e.at));
    console.log(
      `per hop ${((times.at(-1)! - times[0]!) / 19).toFixed(2)} ms; cpu node ${((used.user + used.system) / 20e3).toFixed(2)} ms/hop`,
    );
  }
  const { openDatabase } = await import('../store/database.ts');
  const { systemClock } = await import('../lib/clock.ts');
  await using d = openDatabase(f.url, { clock: systemClock });
  const t0 = performance.now();
  for (let i = 0; i < 200; i++) await d.query('select 1');
  console.log('rt', (performance.now() - t0) / 200);
  const t1 = performance.now();
  for (let i = 0; i < 100; i++) await d.query(`update worker set version = version`);
  console.log('commit', (performance.now() - t1) / 100);
  const sums = new Map<string, [number, number]>();
  for (const [t, ms] of log) {
    const k = t.replace(/\s+/g, ' ').slice(0, 90);
    const s = sums.get(k) ?? [0, 0];
    sums.set(k, [s[0] + 1, s[1] + ms]);
  }
  for (const [k, [n, ms]] of [...sums].sort((a, b) => b[1][1] - a[1][1]))
    console.log(String(n).padStart(4), (ms / n).toFixed(2), k);
});
