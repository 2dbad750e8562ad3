import { beginByNode } from './begin-by-node.ts';
import type { BegunProcess, ProgramToBegin } from './begun-process.ts';
import { Starter } from './starter.ts';
import { isFramable } from './starter-frame.ts';

/**
 * Starts a program: by a starter, or by this process itself where there is none (yet) or it would not start that program as it is meant.
 * Rejects with the system's error when it cannot be started. The caller ends it; nothing here does.
 */
export function begin(program: ProgramToBegin): Promise<BegunProcess> {
  const starter = theStarter();
  return starter !== undefined && isFramable(program) ? starter.begin(program) : beginByNode(program);
}

let starter: Starter | undefined;
/** Whether one is being started, or none can be had here. */
let isAwaited = false;

function theStarter(): Starter | undefined {
  if (starter?.isUp === true) return starter;
  if (!isAwaited) void renew();
  return undefined;
}

async function renew(): Promise<void> {
  isAwaited = true;
  starter = await Starter.start();
  isAwaited = starter === undefined;
}
