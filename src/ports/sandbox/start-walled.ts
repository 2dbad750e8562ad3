import type { Readable } from 'node:stream';
import { messageOf, SwitchyardError } from '../../lib/error.ts';
import { firstLine } from '../../lib/exec/first-line.ts';
import { type ProgramToStart, type StartedProcess, startProcess } from '../../lib/exec/start.ts';
import { keepTail } from '../../lib/exec/tail.ts';
import { sendSignal } from '../../lib/processes.ts';
import { identifyInit, namespaceName } from './namespace-name.ts';
import type { ResourceGroup } from './resources.ts';
import { WalledProcess } from './walled-process.ts';

export interface WalledStart {
  /** The launcher's command line. It reports one line on descriptor 3 once the namespace's init runs. */
  readonly launcher: Omit<ProgramToStart, 'statusPipe' | 'gate'>;
  /** What is started in the walls, for a person. */
  readonly name: string;
  /** The init as a pid of the host, given the launcher's pid and its report; undefined when it has ended already. */
  readonly initOf: (launcher: number, report: string) => number | undefined;
  /**
   * What holds the program to limits; disposed when nothing of it is left, or it could not be started. Where it needs to admit, the
   * launcher lets nothing of the program run before it has read something from the descriptor behind its others.
   */
  readonly group?: ResourceGroup | undefined;
}

/** Starts a program within a pid namespace of its own. Rejects with `sandbox/cannot-start`; then nothing of it is left. */
export async function startWalled({ launcher, name, initOf, group }: WalledStart): Promise<WalledProcess> {
  const isHeld = group?.needsAdmission === true;
  try {
    const started = await startProcess({ ...launcher, statusPipe: true, gate: isHeld }).catch((error: unknown) => {
      throw cannotStart(name, messageOf(error), error);
    });
    const reports = allOf(started.status);
    try {
      const found = initOf(started.pid, await firstReport(started));
      const init = identifyInit(found);
      if (isHeld) await group.admit(found === undefined ? [started.pid] : [started.pid, found]);
      started.gate?.end('\n');
      return new WalledProcess(started, { init, namespace: namespaceName(init), group, reports });
    } catch (error) {
      sendSignal(started.pid, 'SIGKILL');
      for (const output of [started.stdout, started.stderr, started.status, started.gate]) output?.destroy();
      await started.ended;
      throw error;
    }
  } catch (error) {
    await group?.[Symbol.asyncDispose]();
    throw error;
  }
}

async function firstReport(launcher: StartedProcess): Promise<string> {
  const report = launcher.status && (await firstLine(launcher.status));
  if (report !== undefined) return report;
  const errors = keepTail(launcher.stderr);
  launcher.stdout.resume();
  await launcher.closed;
  throw cannotStart('the sandbox', errors.text().trim());
}

/** What a launcher has reported, once it has ended. */
async function allOf(status: Readable | undefined): Promise<string> {
  if (status === undefined) return '';
  const kept = keepTail(status);
  await new Promise((settle) => status.once('close', settle));
  return kept.text();
}

function cannotStart(what: string, why: string, cause?: unknown): SwitchyardError {
  return new SwitchyardError({
    code: 'sandbox/cannot-start',
    message: `cannot start ${what}: ${why}`,
    hint: 'Run `switchyard doctor` to see what this machine can do.',
    cause,
  });
}
