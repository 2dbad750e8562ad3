import { expect, test } from 'vitest';
import { isAlive } from '../../lib/processes.ts';
import type { Sandbox } from '../../ports/sandbox.ts';
import { processesWith, uniqueSleep, untilProcessesWith } from '../marked-processes.ts';
import { reader, run, script } from './program.ts';

/** Longer than any case may take: a case that waits for it fails by its time limit. */
const LONG_MS = 600_000;

/** Goes on until a signal ends it, and handles at once those that it was taught to. */
const FOREVER = 'sleep 86400 & echo ready; while :; do wait; done';

export function endingCases(make: () => Promise<Sandbox>): void {
  test('stop begins with SIGINT, and waits for a program that uses it to finish', async () => {
    await using running = await (await make()).spawn(
      script(`trap 'echo finishing; exit 5' INT; trap 'echo late' TERM; ${FOREVER}`),
    );
    const line = reader(running);
    expect(await line()).toBe('ready');
    await running.stop(LONG_MS);
    expect(await line()).toBe('finishing');
    expect(await line()).toBe(undefined);
    expect(await running.exited).toEqual({ code: 5, signal: null });
  });

  test('stop goes on to SIGTERM when SIGINT did not end the program', async () => {
    await using running = await (await make()).spawn(
      script(`trap 'echo int' INT; trap 'echo term; exit 6' TERM; ${FOREVER}`),
    );
    const line = reader(running);
    await line();
    await running.stop(1000);
    expect([await line(), await line(), await line()]).toEqual(['int', 'term', undefined]);
    expect((await running.exited).code).toBe(6);
  });

  test('stop ends a program that survives both', async () => {
    await using running = await (await make()).spawn(script(`trap '' INT TERM; ${FOREVER}`));
    const line = reader(running);
    await line();
    await running.stop(30);
    expect(await line()).toBe(undefined);
    expect((await running.exited).signal).toBe('SIGKILL');
  });

  test('stop without grace ends it at once', async () => {
    await using running = await (await make()).spawn(script(`trap 'echo int' INT; ${FOREVER}`));
    const line = reader(running);
    await line();
    await running.stop(0);
    expect(await line()).toBe(undefined);
  });

  test('stop also ends the program’s children', async () => {
    const sleep = uniqueSleep();
    await using running = await (await make()).spawn(script(`sleep ${sleep} & setsid sleep ${sleep} & sleep ${sleep}`));
    await untilProcessesWith(sleep, 3);
    await running.stop(20);
    expect(processesWith(sleep)).toEqual([]);
  });

  test('stop may be called twice, and after the end', async () => {
    const running = await (await make()).spawn(script('sleep 100'));
    await Promise.all([running.stop(10), running.stop(0)]);
    await running.stop(LONG_MS);
    running.stdout.resume();
    running.stderr.resume();
    expect((await running.exited).code).not.toBe(0);
    await running[Symbol.asyncDispose]();
    await running[Symbol.asyncDispose]();
  });

  test('disposing ends a program whose output nobody has read', async () => {
    const running = await (await make()).spawn(script('yes'));
    await running[Symbol.asyncDispose]();
    await running.exited;
    expect(isAlive({ pid: running.pid })).toBe(false);
  });

  test('disposing ends a program that ignores signals, with its children', async () => {
    const sleep = uniqueSleep();
    const running = await (await make()).spawn(script(`trap '' INT TERM HUP; sleep ${sleep} & sleep ${sleep}`));
    await untilProcessesWith(sleep, 2);
    await running[Symbol.asyncDispose]();
    expect(processesWith(sleep)).toEqual([]);
  });

  test('the end of the program ends its background children, even with its output in their hands', async () => {
    const sleep = uniqueSleep();
    const result = await run(await make(), script(`sleep ${sleep} & echo done`));
    expect(result).toMatchObject({ code: 0, stdout: 'done\n' });
    expect(processesWith(sleep)).toEqual([]);
  });
}
