import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { addUsage, NO_USAGE, type Usage } from '../../domain/run.ts';
import type { AgentUnderTest } from '../agent-contract.ts';
import { Conversation, needs, type PlayedTurn } from './conversation.ts';

export function workCases(subject: AgentUnderTest): void {
  test('says something and ends, once and last', async () => {
    await using conversation = await Conversation.begin(subject, [[{ say: 'Hello there.' }]]);
    const { events, result, text } = await conversation.ask('Say hello');
    expect(result).toEqual({ kind: 'done' });
    expect(text).toBe('Hello there.');
    expect(events.filter(({ kind }) => kind === 'end')).toHaveLength(1);
    expect(events.at(-1)?.kind).toBe('end');
  });

  test('tells its session before it works', async (context) => {
    needs(context, subject, 'sessions');
    await using conversation = await Conversation.begin(subject, [[{ run: 'true' }, { say: 'done' }]]);
    const { events } = await conversation.ask('Work');
    expect(events.find(({ kind }) => kind !== 'warning')?.kind).toBe('session');
  });

  test('tells each tool’s start and end in order, with its result', async (context) => {
    needs(context, subject, 'tools');
    await using conversation = await Conversation.begin(subject, [
      [{ run: 'echo first' }, { run: 'echo second' }, { say: 'done' }],
    ]);
    const { events, turns } = await conversation.ask('Run two commands');
    const tools = events.filter((event) => event.kind === 'tool-started' || event.kind === 'tool-ended');
    expect(tools.map(({ kind }) => kind)).toEqual(['tool-started', 'tool-ended', 'tool-started', 'tool-ended']);
    expect(tools[0]).toMatchObject({ input: expect.stringContaining('echo first') });
    expect(tools[1]).toMatchObject({ output: expect.stringContaining('first'), ok: true, call: tools[0]?.call });
    expect(tools[3]).toMatchObject({ output: expect.stringContaining('second'), call: tools[2]?.call });
    expect(tools[2]?.call).not.toBe(tools[0]?.call);
    expect(turns).toBe(3);
  });

  test('tells a tool that failed, and goes on', async (context) => {
    needs(context, subject, 'tools', 'failing tools');
    await using conversation = await Conversation.begin(subject, [
      [{ run: 'echo broken; exit 3' }, { say: 'still here' }],
    ]);
    const { events, result } = await conversation.ask('Fail once');
    const output = expect.stringContaining('broken') as string;
    expect(events).toContainEqual(expect.objectContaining({ kind: 'tool-ended', ok: false, output }));
    expect(result).toEqual({ kind: 'done' });
  });

  test('changes files in its workspace', async () => {
    const write = { path: 'src/new/file.txt', text: 'written by an agent\nsecond line\n' };
    await using conversation = await Conversation.begin(subject, [[{ write }, { say: 'done' }]]);
    await conversation.ask('Write a file');
    expect(await readFile(join(conversation.workspace, write.path), 'utf8')).toBe(write.text);
    expect(await readdir(conversation.workspace)).toEqual(['src']);
  });

  test('works in its workspace, with a home of its own and the names of its run', async () => {
    const run = 'pwd -P > where; echo "$HOME" > home; echo "$SWITCHYARD_RUN $SWITCHYARD_NODE $SWITCHYARD_STEP" > names';
    await using conversation = await Conversation.begin(subject, [[{ run }, { say: 'done' }]]);
    await conversation.ask('Look around');
    const read = async (name: string) => (await readFile(join(conversation.workspace, name), 'utf8')).trim();
    expect(await read('where')).toBe(conversation.workspace);
    expect(await read('home')).toBe(conversation.home);
    expect(await read('names')).toBe('run1 implement 1');
  });

  test('gives to what it runs the configured variables, nothing of the harness’s, and not its key', async () => {
    process.env['SWITCHYARD_CANARY'] = 'inherited';
    await using conversation = await Conversation.begin(subject, [[{ run: 'env > seen' }, { say: 'done' }]]);
    await conversation.ask('Look around');
    const seen = await readFile(join(conversation.workspace, 'seen'), 'utf8');
    expect(seen).toContain('EXTRA=from the entry\n');
    expect(seen).not.toContain('SWITCHYARD_CANARY');
    const { entry, hostEnv } = conversation.agent;
    const key = hostEnv[entry.endpoint?.key?.env ?? ''];
    if (key !== undefined) expect(seen).not.toContain(key);
  });

  test('can be done without having done anything', async () => {
    await using conversation = await Conversation.begin(subject, [[{ say: 'There is nothing to do.' }]]);
    const { result } = await conversation.ask('Do nothing');
    expect(result).toEqual({ kind: 'done' });
    expect(await readdir(conversation.workspace)).toEqual([]);
  });

  test('tells what it used, for this turn alone, or that it does not know', async (context) => {
    needs(context, subject, 'usage');
    await using conversation = await Conversation.begin(subject, [[{ run: 'true' }, { say: 'one' }], [{ say: 'two' }]]);
    const first = await conversation.ask('First');
    const second = await conversation.ask('Second', { session: { kind: 'resume', id: first.session ?? '' } });
    expect(first.usage).toMatchObject({ input: 200, output: 20 });
    expect(second.usage).toMatchObject({ input: 100, output: 10 });
    expect([usedIn(first), usedIn(second)]).toEqual([first.usage, second.usage]);
    if (first.usage.cost === null) expect(second.usage.cost).toBe(null);
    else expect(second.usage.cost).toBeCloseTo(first.usage.cost / 2);
  });
}

function usedIn({ events }: PlayedTurn): Usage {
  return events.reduce((all, event) => (event.kind === 'usage' ? addUsage(all, event.usage) : all), NO_USAGE);
}
