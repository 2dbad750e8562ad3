import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CrashPointName, EFFECTS } from '../../src/lib/crash-point.ts';
import { type CaseResult, crashCase, type Victim } from './crash-case.ts';

/**
 * Every crash point, with each victim that can die there. A point that a victim never passes is named here; any other must have
 * killed it, else the test would prove nothing.
 */
const NOT_PASSED: Readonly<Record<Exclude<Victim, 'none'>, readonly string[]>> = {
  daemon: [],
  // Decisions are taken and the database is started by the daemon.
  worker: ['decision', 'database-start'],
  // There is no server to kill around its own start.
  database: ['database-start'],
};

const verdicts: string[] = [];
let undisturbed: CaseResult;

beforeAll(async () => {
  undisturbed = await crashCase('none');
}, 120_000);

afterAll(async () => {
  const table = verdicts.sort().join('\n');
  process.stdout.write(`\ncrash point × victim → verdict\n${table}\n`);
  const file = process.env['CRASH_TABLE'];
  if (file === undefined) return;
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${table}\n`);
});

test('the undisturbed run merges, leaves nothing behind, and starts each agent once', () => {
  expect(undisturbed.end.state).toBe('discarded');
  expect(undisturbed.end.merged).toContain('answer.txt');
  expect(undisturbed.end.steps).toEqual([
    'implement#1:done',
    'check#1:fail',
    'fix#1:done',
    'check#2:pass',
    'branch#1:delivered',
    'review#1:approved',
    'merge#1:merged',
  ]);
  expect(undisturbed.left).toEqual([]);
  expect(undisturbed.doubled).toEqual([]);
});

for (const victim of ['daemon', 'worker', 'database'] as const) {
  describe.concurrent(`the ${victim} killed`, () => {
    for (const effect of EFFECTS) {
      if (NOT_PASSED[victim].includes(effect)) continue;
      for (const side of ['before', 'after'] as const) {
        const point: CrashPointName = `${effect}.${side}`;
        test(`${side} ${effect} loses and doubles nothing`, { timeout: 180_000 }, async () => {
          const result = await crashCase(victim, point).catch((error: unknown) => {
            verdicts.push(`${victim.padEnd(9)} ${point.padEnd(24)} FAILED: ${String(error)}`);
            throw error;
          });
          const same = JSON.stringify(result.end) === JSON.stringify(undisturbed.end);
          const good = result.died && same && result.left.length === 0 && result.doubled.length === 0;
          verdicts.push(
            `${victim.padEnd(9)} ${point.padEnd(24)} ${good ? 'same end state' : 'FAILED'}, ${result.attempts} attempts`,
          );
          expect(result.died, 'the victim passed the point and died there').toBe(true);
          expect(result.end).toEqual(undisturbed.end);
          expect(result.left).toEqual([]);
          expect(result.doubled).toEqual([]);
        });
      }
    }
  });
}
