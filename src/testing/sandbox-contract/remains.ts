import { expect, test } from 'vitest';
import type { Sandbox, SandboxRemains } from '../../ports/sandbox.ts';
import { processesWith, strayScript, uniqueSleep, untilProcessesWith } from '../marked-processes.ts';
import { run, script } from './program.ts';

/** How a process of the harness that did not start them proves that walls are empty. */
export function remainsCases(make: () => Promise<Sandbox>, remains: SandboxRemains): void {
  test('clear ends what lives within the walls of that name', async () => {
    const sleep = uniqueSleep();
    await using running = await (await make()).spawn(script(`${strayScript(sleep)}; sleep 86400`));
    await untilProcessesWith(sleep, 3);
    expect(await remains.clear(running.namespace ?? '')).toBe(true);
    expect(processesWith(sleep)).toEqual([]);
  });

  test('clear proves that walls are empty after the end, and does not touch others', async () => {
    const sandbox = await make();
    await using other = await sandbox.spawn(script('echo alive; read line', { input: '\n' }));
    const ended = await sandbox.spawn(script('true'));
    await ended[Symbol.asyncDispose]();
    expect(await remains.clear(ended.namespace ?? '')).toBe(true);
    other.stdout.resume();
    other.stderr.resume();
    expect((await other.exited).code).toBe(0);
  });

  test('clear proves it for walls whose program was over at once', async () => {
    const sandbox = await make();
    for (let round = 0; round < 10; round++) {
      const ended = await sandbox.spawn(script('exit 0'));
      const { namespace = '' } = ended;
      await ended[Symbol.asyncDispose]();
      expect(await remains.clear(namespace)).toBe(true);
    }
    expect((await run(sandbox, script('exit 0'))).code).toBe(0);
  });

  test.each(['', 'nonsense', 'pid:[1]', 'pid:[1] 1 2 3 4', '\0'])('clear does not claim to know %j', async (name) => {
    expect(await remains.clear(name)).toBe(false);
  });
}
