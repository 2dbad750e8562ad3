import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { randomIds } from '../ids.ts';
import { isAlive } from '../processes.ts';
import { groupName, homeIdOf, isOwnerDead } from './group-name.ts';
import { clearLeftovers } from './leftovers.ts';
import { probeResources } from './probe.ts';

const isHeld = (await probeResources({ homeId: randomIds() })).mechanism.includes('cgroup');
const PROBE = fileURLToPath(new URL('probe.ts', import.meta.url));

/** Another harness, with one program in a group. */
async function harness(homeId: string) {
  const script = `
    import { spawn } from 'node:child_process';
    const { probeResources } = await import(${JSON.stringify(PROBE)});
    const { control } = await probeResources({ homeId: ${JSON.stringify(homeId)} });
    const program = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
    const group = await control.start({ memory: 2 ** 28, processes: 32, cpus: 1 });
    await group.admit([program.pid]);
    console.log(program.pid);
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  const pid = Number(said.toString());
  return {
    isProgramAlive: () => isAlive({ pid }),
    async kill() {
      child.kill('SIGKILL');
      await once(child, 'close');
    },
  };
}

describe.skipIf(!isHeld)('what a killed harness has left', () => {
  test('is cleared away with what still lives in it, and while it lives nothing is', async () => {
    const homeId = randomIds();
    const other = await harness(homeId);
    expect(await clearLeftovers(homeId)).toBe(0);
    expect(other.isProgramAlive()).toBe(true);
    await other.kill();
    expect(other.isProgramAlive()).toBe(true);
    expect(await clearLeftovers(homeId)).toBe(1);
    expect(other.isProgramAlive()).toBe(false);
    expect(await clearLeftovers(homeId)).toBe(0);
  });

  test('is left to its own home', async () => {
    const [homeId, neighbour] = [randomIds(), randomIds()];
    const other = await harness(neighbour);
    await other.kill();
    expect(await clearLeftovers(homeId)).toBe(0);
    expect(other.isProgramAlive()).toBe(true);
    expect(await clearLeftovers(neighbour)).toBe(1);
  });

  test('is left where a living one of the same home works too', async () => {
    const homeId = randomIds();
    const [dead, living] = await Promise.all([harness(homeId), harness(homeId)]);
    await dead.kill();
    expect(await clearLeftovers(homeId)).toBe(1);
    expect([dead.isProgramAlive(), living.isProgramAlive()]).toEqual([false, true]);
    await living.kill();
    expect(await clearLeftovers(homeId)).toBe(1);
  });
});

test('the owner of a group is told from its name: this process lives, a later one with its number is another', () => {
  const name = groupName('x');
  expect(isOwnerDead(name)).toBe(false);
  expect(isOwnerDead(name.replace(/^(\d+-\d+)-\d+/, '$1-1'))).toBe(true);
});

test('nobody is taken for dead who cannot be seen from here, or whose name says nothing', () => {
  expect(isOwnerDead('1-2-3-x')).toBe(false);
  expect(isOwnerDead('somebody')).toBe(false);
});

test('two homes have different names, and one always the same', () => {
  expect(homeIdOf('/a')).toBe(homeIdOf('/a'));
  expect(homeIdOf('/a')).not.toBe(homeIdOf('/b'));
});

test('what cannot name a folder is refused', async () => {
  await expect(clearLeftovers('../up')).rejects.toMatchObject({ code: 'resources/bad-home' });
});
