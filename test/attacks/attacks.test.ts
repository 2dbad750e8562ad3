import { afterAll, describe, expect, test } from 'vitest';
import { tempFolder } from '../../src/testing/temp-repository.ts';
import { isTaken } from './attack.ts';
import { hostWalls } from './host-walls.ts';
import { closeInstallations } from './installed.ts';
import { attacks } from './list.ts';
import { play } from './play.ts';

/** Hostile agents against the walls that a run has on this host by default, and against the harness that reads what they have written. */

const folder = await tempFolder('switchyard-attack-home');
const hosts = await hostWalls(folder.path);
const { level, mechanism } = hosts.walled.programs;
afterAll(async () => {
  await closeInstallations();
  await folder[Symbol.asyncDispose]();
});

test('no two attacks have the same name', () => {
  expect(new Set(attacks.map(({ name }) => name)).size).toBe(attacks.length);
});

describe.skipIf(level !== 'bubblewrap')(`at level ${level} (${mechanism})`, () => {
  test.for(attacks)('an agent that $name', { timeout: 120_000 }, async (attack, context) => {
    const { skipped, open, walled, twin } = await play(attack, hosts);
    if (skipped !== undefined || open === undefined || walled === undefined) return context.skip(skipped);
    expect(isTaken(open), `comes through where nothing protects: ${open.before} → ${open.after}`).toBe(true);
    if (attack.known === undefined) expect(walled.after, 'is held off').toBe(walled.before);
    else expect(isTaken(walled), `is known to come through: ${attack.known}`).toBe(true);
    expect(twin, `an honest agent ${attack.twin.name}`).toBeUndefined();
  });
});
