import { expect, test } from 'vitest';
import type { SandboxedProcess } from '../../ports/sandbox.ts';
import type { AgentUnderTest } from '../agent-contract.ts';
import { processesWith, strayScript, uniqueSleep, untilProcessesWith } from '../marked-processes.ts';
import { Conversation, needs } from './conversation.ts';

export function endingCases(subject: AgentUnderTest): void {
  test('tells an error, whatever its exit code', async () => {
    await using conversation = await Conversation.begin(subject, [[{ fail: true }]]);
    const { result, events } = await conversation.ask('Fail');
    expect(result).toMatchObject({ kind: 'failed' });
    const { failure } = result?.kind === 'failed' ? result : {};
    expect(failure?.message).not.toBe('');
    expect(events.at(-1)?.kind).toBe('end');
  });

  test('can be stopped while it thinks', async () => {
    await using conversation = await Conversation.begin(subject, [[{ hang: true }]]);
    const stop = stopWhen(async () => conversation.agent.thinking?.());
    const { result } = await conversation.ask('Think', stop);
    expect(result).not.toEqual({ kind: 'done' });
    await stop.done();
  });

  test('can be stopped while a tool runs, and leaves nothing of it', async (context) => {
    needs(context, subject, 'tools');
    const sleep = uniqueSleep();
    await using conversation = await Conversation.begin(subject, [[{ run: `sleep ${sleep}` }, { say: 'woken' }]]);
    const stop = stopWhen(() => untilProcessesWith(sleep, 1));
    const { result } = await conversation.ask('Sleep', stop);
    expect(result).not.toEqual({ kind: 'done' });
    await stop.done();
    expect(processesWith(sleep)).toEqual([]);
  });

  test('leaves nothing behind of what its tools put into the background', async (context) => {
    if (subject.sandbox.level === 'none') context.skip('without walls a stray can survive');
    const sleep = uniqueSleep();
    await using conversation = await Conversation.begin(subject, [[{ run: strayScript(sleep) }, { say: 'done' }]]);
    const { result } = await conversation.ask('Start something');
    expect(result).toEqual({ kind: 'done' });
    expect(processesWith(sleep)).toEqual([]);
  });

  test('leaves nothing behind of that when it is stopped either', async (context) => {
    if (subject.sandbox.level === 'none') context.skip('without walls a stray can survive');
    needs(context, subject, 'tools');
    const sleep = uniqueSleep();
    await using conversation = await Conversation.begin(subject, [
      [{ run: `${strayScript(sleep)}; sleep ${sleep}` }, { say: 'woken' }],
    ]);
    const stop = stopWhen(() => untilProcessesWith(sleep, 4));
    await conversation.ask('Start something', stop);
    await stop.done();
    expect(processesWith(sleep)).toEqual([]);
  });
}

/** Stops the agent when `ready`; what it still says is heard. */
function stopWhen(ready: () => Promise<void>) {
  let stopping: Promise<void> | undefined;
  return {
    onSpawned: (process: SandboxedProcess) => {
      stopping = ready().then(() => process.stop(5000));
    },
    done: async () => stopping,
  };
}
