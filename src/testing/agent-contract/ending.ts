import { expect, test } from 'vitest';
import { pause } from '../../lib/wait-until.ts';
import type { AgentUnderTest } from '../agent-contract.ts';
import { ManualClock } from '../manual-clock.ts';
import { processesAtHome, processesWith, strayScript, uniqueSleep, untilProcessesWith } from '../marked-processes.ts';
import { Conversation, needs, SILENCE_MS } from './conversation.ts';

export function endingCases(subject: AgentUnderTest): void {
  test('tells an error, whatever its exit code', async () => {
    await using conversation = await Conversation.begin(subject, [[{ fail: true }]]);
    const { result, events } = await conversation.ask('Fail');
    expect(result).toMatchObject({ kind: 'failed', failure: { message: expect.stringMatching(/\w/) } });
    expect(events.at(-1)?.kind).toBe('end');
  });

  test('can be cancelled while it thinks, and leaves nothing behind', async () => {
    await using conversation = await Conversation.begin(subject, [[{ hang: true }]]);
    const { result } = await conversation.ask('Think', {
      stopWhen: async () => {
        await conversation.agent.thinking?.();
        expect(processesAtHome(conversation.home)).not.toEqual([]);
      },
    });
    expect(result).toEqual({ kind: 'cancelled' });
  });

  test('can be cancelled while a tool runs, and leaves nothing of it', async (context) => {
    needs(context, subject, 'tools');
    const sleep = uniqueSleep();
    await using conversation = await Conversation.begin(subject, [
      [{ run: inShell(`sleep ${sleep}`) }, { say: 'woken' }],
    ]);
    const { result, usage } = await conversation.ask('Sleep', { stopWhen: () => untilProcessesWith(sleep, 1) });
    expect(result).toEqual({ kind: 'cancelled' });
    expect(processesWith(sleep)).toEqual([]);
    if (subject.lacks.usage === undefined) expect(usage).toMatchObject({ input: 100, output: 10 });
  });

  test('is stopped when it goes on and on', async (context) => {
    needs(context, subject, 'tools');
    const acts = Array.from({ length: 20 }, (_, index) => ({ run: `echo ${index} >> counted` }));
    await using conversation = await Conversation.begin(subject, [acts]);
    const { result } = await conversation.ask('Go on', { maxTurns: 3 });
    expect(result).toMatchObject({ kind: 'limit', limit: 'turns', used: 4, max: 3 });
  });

  test('leaves nothing behind of what its tools put into the background', async (context) => {
    if (subject.sandbox.level === 'none') context.skip('without walls a stray can survive');
    const sleep = uniqueSleep();
    await using conversation = await Conversation.begin(subject, [
      [{ run: inShell(strayScript(sleep)) }, { say: 'done' }],
    ]);
    const { result, events } = await conversation.ask('Start something');
    expect(result).toEqual({ kind: 'done' });
    expect(events.filter((event) => event.kind === 'tool-ended' && !event.ok)).toEqual([]);
    expect(processesWith(sleep)).toEqual([]);
  });

  test('leaves nothing behind of that when it is cancelled either', async (context) => {
    if (subject.sandbox.level === 'none') context.skip('without walls a stray can survive');
    needs(context, subject, 'tools');
    const sleep = uniqueSleep();
    await using conversation = await Conversation.begin(subject, [
      [{ run: inShell(`${strayScript(sleep)}; sleep ${sleep}`) }, { say: 'woken' }],
    ]);
    await conversation.ask('Start something', { stopWhen: () => untilProcessesWith(sleep, 4) });
    expect(processesWith(sleep)).toEqual([]);
  });

  test('is stalled when it says nothing for too long', async () => {
    await using conversation = await Conversation.begin(subject, [[{ hang: true }]]);
    const clock = new ManualClock();
    const asked = conversation.ask('Think', { clock });
    await conversation.agent.thinking?.();
    // Time passes only when the agent has nothing left to say: any word of it begins the silence anew.
    const isOver = () => Promise.race([asked.then(() => true), pause(20).then(() => false)]);
    while (!(await isOver())) await clock.advance(SILENCE_MS);
    expect((await asked).result).toMatchObject({ kind: 'stalled' });
  });
}

/** Some agents do not let their models run `sleep` as such. */
function inShell(script: string): string {
  return `sh -c '${script}'`;
}
