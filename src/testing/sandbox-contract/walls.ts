import { expect, test } from 'vitest';
import type { Sandbox } from '../../ports/sandbox.ts';
import { processesWith, strayScript, uniqueSleep, untilProcessesWith } from '../marked-processes.ts';
import { reader, run, script } from './program.ts';

/** What holds only where there are walls: nothing gets out of the sandbox's reach, and nothing outside is within the program's. */
export function wallCases(make: () => Promise<Sandbox>): void {
  test('stop ends orphans in sessions of their own', async () => {
    const sleep = uniqueSleep();
    await using running = await (await make()).spawn(script(`${strayScript(sleep)}; sleep 86400`));
    await untilProcessesWith(sleep, 3);
    await running.stop(10);
    expect(processesWith(sleep)).toEqual([]);
  });

  test('disposing ends orphans in sessions of their own', async () => {
    const sleep = uniqueSleep();
    const running = await (await make()).spawn(script(`${strayScript(sleep)}; sleep 86400`));
    await untilProcessesWith(sleep, 3);
    await running[Symbol.asyncDispose]();
    expect(processesWith(sleep)).toEqual([]);
  });

  test('when the program has ended by itself, orphans have too', async () => {
    const sleep = uniqueSleep();
    await using running = await (await make()).spawn(
      script(`${strayScript(sleep)}; echo started; read line; exit 3`, { input: '\n' }),
    );
    running.stderr.resume();
    expect(await reader(running)()).toBe('started');
    running.stdout.resume();
    expect((await running.exited).code).toBe(3);
    expect(processesWith(sleep)).toEqual([]);
  });

  test('the program cannot see or signal processes outside', async () => {
    const result = await run(
      await make(),
      script(`kill -0 ${process.pid} 2>/dev/null && echo seen; ls -d /proc/[0-9]* | wc -l`),
    );
    expect(Number(result.stdout.trim())).toBeLessThan(8);
  });

  test('orphans that have ended are collected', async () => {
    const countZombies = "grep -s '^State:.Z' /proc/[0-9]*/status | wc -l";
    const result = await run(
      await make(),
      script(
        `for i in 1 2 3; do (sh -c 'exit 0' &); done; until [ $(${countZombies}) = 0 ]; do :; done; echo collected`,
      ),
    );
    expect(result.stdout).toBe('collected\n');
  });

  test('each program has walls of its own', async () => {
    const sandbox = await make();
    await using first = await sandbox.spawn(script('sleep 100'));
    await using second = await sandbox.spawn(script('sleep 100'));
    expect(first.namespace).not.toBe(second.namespace);
  });
}
