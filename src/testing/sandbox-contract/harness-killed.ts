import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { firstLine } from '../../lib/exec/first-line.ts';
import { startProcess } from '../../lib/exec/start.ts';
import { sendSignal } from '../../lib/processes.ts';
import type { SandboxRemains } from '../../ports/sandbox.ts';
import { processesWith, uniqueSleep, untilProcessesWith } from '../marked-processes.ts';
import { FOLDER, PATH } from './program.ts';

export interface FoundByAnotherProcess {
  readonly module: string;
  readonly export: string;
  readonly remains: SandboxRemains;
}

/** A second process plays the harness and is killed, as a crash would. */
export function harnessKilledCases(walls: FoundByAnotherProcess): void {
  test('nothing survives when the harness is killed', async () => {
    const sleep = uniqueSleep();
    const { harness, namespace } = await startHarness(walls, sleep);
    await untilProcessesWith(sleep, 4); // three sleeps and the harness itself
    sendSignal(harness.pid, 'SIGKILL');
    await harness.ended;
    await untilProcessesWith(sleep, 0);
    expect(await walls.remains.clear(namespace)).toBe(true);
  });

  test('a later process can end what is left and prove it, without waiting for the kernel', async () => {
    const sleep = uniqueSleep();
    const { harness, namespace } = await startHarness(walls, sleep);
    await untilProcessesWith(sleep, 4);
    sendSignal(harness.pid, 'SIGKILL');
    expect(await walls.remains.clear(namespace)).toBe(true);
    await harness.ended;
    expect(processesWith(sleep)).toEqual([]);
  });
}

async function startHarness(walls: FoundByAnotherProcess, sleep: string) {
  const harness = await startProcess({
    file: process.execPath,
    args: [fileURLToPath(new URL(`harness${extension()}`, import.meta.url)), walls.module, walls.export, sleep],
    cwd: FOLDER,
    env: { PATH },
  });
  const namespace = await firstLine(harness.stdout);
  if (namespace === undefined) throw new Error(`the second harness did not start: ${await text(harness.stderr)}`);
  harness.stderr.resume();
  return { harness, namespace };
}

/** `.ts` in a checkout, `.js` in the package. */
function extension(): string {
  return import.meta.url.slice(import.meta.url.lastIndexOf('.'));
}
