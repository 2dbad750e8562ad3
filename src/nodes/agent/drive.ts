import { between } from '../../lib/crash-point.ts';
import { type Line, linesOf } from '../../lib/exec/lines.ts';
import { keepTail } from '../../lib/exec/tail.ts';
import type { AgentCommand, AgentEvent, AgentParser } from '../../ports/agent.ts';
import type { SandboxedProcess } from '../../ports/sandbox.ts';
import { boundedEvent } from './bounded-event.ts';
import { Interruption } from './interruption.ts';
import type { Heard } from './silence-watch.ts';
import type { DriveRequest, TurnReport, TurnResult } from './turn.ts';
import { TurnTally } from './turn-tally.ts';

/**
 * Runs one turn of an agent in its sandbox. What comes of it is told by the final event, never by the exit code; a turn that
 * ended by itself keeps its result even when that is also too late or too much. Nothing of the agent is left when this settles.
 * Rejects when the program cannot be started (`agent/…`, `sandbox/cannot-start`) and with whatever `onEvent` and `onSpawned` throw.
 */
export async function driveTurn(request: DriveRequest): Promise<TurnReport> {
  const tally = new TurnTally(request.limits, request.meter);
  if (request.signal.aborted) return tally.report({ kind: 'cancelled' });
  const command = await request.adapter.command(request.turn);
  const parser = request.adapter.parser(request.turn);
  await using process = await between(request.crashPoint, 'agent-spawn', () => spawn(request, command));
  using interruption = new Interruption(process, request);
  void request.meter?.untilExceeded.then((bound) => interruption.cut({ kind: 'limit', ...bound }));
  await Promise.race([readTurn(request, { process, parser, tally, interruption }), interruption.failed]);
  await interruption.settled();
  await process[Symbol.asyncDispose]();
  return await between(request.crashPoint, 'agent-end', async () => {
    const { end } = tally;
    if (interruption.cause !== undefined || end === undefined) return tally.report(interruption.cause ?? WITHOUT_END);
    await request.onEvent(end);
    return tally.report(end.result);
  });
}

async function spawn(request: DriveRequest, command: AgentCommand): Promise<SandboxedProcess> {
  const process = await request.sandbox.spawn({ ...command, cwd: request.turn.folder });
  try {
    await request.onSpawned?.(process);
    return process;
  } catch (error) {
    await process[Symbol.asyncDispose]();
    throw error;
  }
}

interface Turn {
  readonly process: SandboxedProcess;
  readonly parser: AgentParser;
  readonly tally: TurnTally;
  readonly interruption: Interruption;
}

async function readTurn(request: DriveRequest, { process, parser, tally, interruption }: Turn): Promise<void> {
  const take = async (events: readonly AgentEvent[]) => {
    interruption.silence.suspend();
    for (const event of events) await takeEvent(request, tally, boundedEvent(event, request.redact));
    interruption.silence.resume({ toolIsRunning: tally.toolIsRunning, heard: heardIn(events) });
    // After all events of a line, so that what was over anyway is not called interrupted.
    if (tally.end !== undefined) {
      interruption.linger();
      request.onEnding?.();
    } else if (request.progress?.loop !== undefined)
      interruption.cut({ kind: 'no-progress', loop: request.progress.loop });
    else if (tally.exceeded !== undefined) interruption.cut(tally.exceeded);
  };
  const errors = keepTail(process.stderr);
  for await (const line of linesOf(process.stdout)) {
    await take(line.cut === 0 ? parser.line(line.text) : cutLine(line, tally));
  }
  const exit = await process.exited;
  // An interrupted turn has no end of its own, whatever its remains look like.
  await take(
    parser
      .end({ ...exit, stderr: errors.text() })
      .filter(({ kind }) => interruption.cause === undefined || kind !== 'end'),
  );
}

async function takeEvent(request: DriveRequest, tally: TurnTally, event: AgentEvent): Promise<void> {
  const isNews = tally.add(event);
  if (isNews) await request.progress?.add(event);
  if (!isNews || event.kind === 'end') return;
  if (event.kind === 'session') {
    await between(request.crashPoint, 'session-id', async () => request.onEvent(event));
  } else {
    await request.onEvent(event);
  }
}

/** A program that only warns, for instance that it tries again and again, gets no further. */
function heardIn(events: readonly AgentEvent[]): Heard {
  if (events.length === 0) return 'noise';
  return events.some(({ kind }) => kind !== 'warning') ? 'event' : 'nothing';
}

/** A line too long to be kept cannot be read either. It may have been the end of a tool. */
function cutLine(line: Line, tally: TurnTally): AgentEvent[] {
  tally.forgetTools();
  const text = `a line of ${line.text.length + line.cut} characters from the agent was too long to be read; it begins: ${line.text.slice(0, 200)}`;
  return [{ kind: 'warning', text }];
}

const WITHOUT_END: TurnResult = {
  kind: 'failed',
  failure: {
    class: 'bug',
    message: 'the agent’s adapter told no end of the turn',
    hint: 'This is a mistake in the adapter: please report it.',
  },
};
