import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { AgentUnderTest } from '../agent-contract.ts';
import { Conversation, needs } from './conversation.ts';

export function workCases(subject: AgentUnderTest): void {
  test('says something and ends, once and last', async () => {
    await using conversation = await Conversation.begin(subject, [[{ say: 'Hello there.' }]]);
    const { events, result } = await conversation.ask('Say hello');
    expect(events).toContainEqual({ kind: 'text', text: 'Hello there.' });
    expect(result).toEqual({ kind: 'done' });
    expect(events.map(({ kind }) => kind).filter((kind) => kind === 'end')).toHaveLength(1);
    expect(events.at(-1)?.kind).toBe('end');
  });

  test('tells its session before it works', async (context) => {
    needs(context, subject, 'sessions');
    await using conversation = await Conversation.begin(subject, [[{ run: 'true' }, { say: 'done' }]]);
    const { events } = await conversation.ask('Work');
    const kinds = events.map(({ kind }) => kind).filter((kind) => kind !== 'warning');
    expect(kinds.indexOf('session')).toBe(0);
  });

  test('tells each tool’s start and end, with its result', async (context) => {
    needs(context, subject, 'tools');
    await using conversation = await Conversation.begin(subject, [
      [{ run: 'echo first' }, { run: 'echo second' }, { say: 'done' }],
    ]);
    const { events } = await conversation.ask('Run two commands');
    const tools = events.filter((event) => event.kind === 'tool-started' || event.kind === 'tool-ended');
    expect(tools.map(({ kind }) => kind)).toEqual(['tool-started', 'tool-ended', 'tool-started', 'tool-ended']);
    expect(tools[0]).toMatchObject({ input: expect.stringContaining('echo first') });
    expect(tools[1]).toMatchObject({ output: expect.stringContaining('first'), ok: true, call: tools[0]?.call });
    expect(tools[3]).toMatchObject({ output: expect.stringContaining('second'), call: tools[2]?.call });
    expect(tools[2]?.call).not.toBe(tools[0]?.call);
  });

  test('tells a tool that failed, and goes on', async (context) => {
    needs(context, subject, 'tools', 'failing tools');
    await using conversation = await Conversation.begin(subject, [
      [{ run: 'echo broken; exit 3' }, { say: 'still here' }],
    ]);
    const { events, result } = await conversation.ask('Fail once');
    expect(events).toContainEqual(expect.objectContaining({ kind: 'tool-ended', ok: false }));
    expect(result).toEqual({ kind: 'done' });
  });

  test('changes files in its workspace', async () => {
    const write = { path: 'src/new/file.txt', text: 'written by an agent\nsecond line\n' };
    await using conversation = await Conversation.begin(subject, [[{ write }, { say: 'done' }]]);
    await conversation.ask('Write a file');
    expect(await readFile(join(conversation.workspace, write.path), 'utf8')).toBe(write.text);
  });

  test('works in its workspace, with a home of its own and the names of its run', async () => {
    const run = 'pwd -P > where; echo "$HOME" > home; echo "$SWITCHYARD_RUN $SWITCHYARD_NODE $SWITCHYARD_STEP" > names';
    await using conversation = await Conversation.begin(subject, [[{ run }, { say: 'done' }]]);
    await conversation.ask('Look around');
    const read = async (name: string) => (await readFile(join(conversation.workspace, name), 'utf8')).trim();
    expect(await read('where')).toBe(conversation.workspace);
    expect(await read('home')).toBe(join(conversation.workspace, '..', 'home'));
    expect(await read('names')).toBe('run1 implement 1');
  });

  test('sees nothing of the harness’s environment', async () => {
    process.env['SWITCHYARD_CANARY'] = 'inherited';
    await using conversation = await Conversation.begin(subject, [[{ run: 'env > seen' }, { say: 'done' }]]);
    await conversation.ask('Look around');
    expect(await readFile(join(conversation.workspace, 'seen'), 'utf8')).not.toContain('SWITCHYARD_CANARY');
  });

  test('gives the configured variables to what it runs', async () => {
    await using conversation = await Conversation.begin(subject, [[{ run: 'echo "$EXTRA" > extra' }, { say: 'done' }]]);
    await conversation.ask('Look around');
    expect(await readFile(join(conversation.workspace, 'extra'), 'utf8')).toBe('from the entry\n');
  });

  test('can be done without having done anything', async () => {
    await using conversation = await Conversation.begin(subject, [[{ say: 'There is nothing to do.' }]]);
    const { result, exit } = await conversation.ask('Do nothing');
    expect(result).toEqual({ kind: 'done' });
    expect(exit.code).toBe(0);
    expect(await readdir(conversation.workspace)).toEqual([]);
  });

  test('tells what it used, for this turn alone', async (context) => {
    needs(context, subject, 'usage');
    await using conversation = await Conversation.begin(subject, [[{ run: 'true' }, { say: 'one' }], [{ say: 'two' }]]);
    const first = await conversation.ask('First');
    const second = await conversation.ask('Second', { session: { kind: 'resume', id: first.session ?? '' } });
    const usedIn = ({ events }: typeof first) =>
      events.flatMap((event) => (event.kind === 'usage' ? [event.usage] : []));
    expect(usedIn(first)).toEqual([expect.objectContaining({ input: 200, output: 20 })]);
    expect(usedIn(second)).toEqual([expect.objectContaining({ input: 100, output: 10 })]);
  });

  test('survives a tool that floods it with output', async (context) => {
    needs(context, subject, 'tools');
    await using conversation = await Conversation.begin(subject, [
      [{ run: 'yes flood | head -c 30000000' }, { say: 'done' }],
    ]);
    const { events, result } = await conversation.ask('Flood');
    expect(result).toEqual({ kind: 'done' });
    const output = events.flatMap((event) => (event.kind === 'tool-ended' ? [event.output] : [])).join('');
    expect(output).toContain('flood');
    expect(output.length).toBeLessThan(4_000_000);
  });
}
