import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { AgentUnderTest } from '../agent-contract.ts';
import { Conversation, needs } from './conversation.ts';

export function sessionCases(subject: AgentUnderTest): void {
  test('goes on with a session in a new process, under the same name', async (context) => {
    needs(context, subject, 'sessions');
    await using conversation = await Conversation.begin(subject, [
      [{ say: 'one' }],
      [{ say: 'two' }],
      [{ say: 'three' }],
    ]);
    const { session: id = '' } = await conversation.ask('First question');
    expect(id).not.toBe('');
    const second = await conversation.ask('Second question', { session: { kind: 'resume', id } });
    const third = await conversation.ask('Third question', { session: { kind: 'resume', id } });
    expect([second.session, third.session]).toEqual([id, id]);
    expect([second, third].map(({ result }) => result)).toEqual([{ kind: 'done' }, { kind: 'done' }]);
    expect(third.text).toBe('three');
    if (subject.lacks.memory !== undefined || subject.lacks['reading prompts'] !== undefined) return;
    expect(await conversation.prompts()).toEqual(['First question', 'Second question', 'Third question']);
  });

  test('goes on with a session in another workspace, of which only a checkpoint is left', async (context) => {
    needs(context, subject, 'sessions');
    await using conversation = await Conversation.begin(subject, [
      [{ run: 'pwd -P > where' }, { say: 'one' }],
      [{ run: 'pwd -P > where' }, { say: 'two' }],
    ]);
    const { session: id = '' } = await conversation.ask('First question');
    await conversation.move();
    const second = await conversation.ask('Second question', { session: { kind: 'resume', id } });
    expect(second).toMatchObject({ result: { kind: 'done' }, session: id, text: 'two' });
    const where = await readFile(join(conversation.workspace, 'where'), 'utf8');
    expect(where.trim()).toBe(conversation.workspace);
    if (subject.lacks.memory !== undefined || subject.lacks['reading prompts'] !== undefined) return;
    expect(await conversation.prompts()).toEqual(['First question', 'Second question']);
  });

  test('goes on with a session that was interrupted', async (context) => {
    needs(context, subject, 'sessions', 'memory', 'reading prompts');
    await using conversation = await Conversation.begin(subject, [[{ run: 'true' }, { hang: true }], [{ say: 'two' }]]);
    const first = await conversation.ask('First question', { stopWhen: () => conversation.agent.thinking?.() });
    expect(first.result).toEqual({ kind: 'cancelled' });
    const session = { kind: 'resume', id: first.session ?? '' } as const;
    const second = await conversation.ask('Second question', { session });
    expect(second).toMatchObject({ result: { kind: 'done' }, session: session.id });
    const asked = await conversation.prompts();
    expect([asked.at(0), asked.at(-1)]).toEqual(['First question', 'Second question']);
  });

  test('remembers nothing in a new session', async (context) => {
    needs(context, subject, 'memory', 'reading prompts');
    await using conversation = await Conversation.begin(subject, [[{ say: 'one' }], [{ say: 'two' }]]);
    const first = await conversation.ask('First question');
    const second = await conversation.ask('Second question');
    expect(second.session).not.toBe(first.session);
    expect(await conversation.prompts()).toEqual(['Second question']);
  });

  test('forks a session: a new name, the same memory, and the old one unchanged', async (context) => {
    needs(context, subject, 'fork');
    await using conversation = await Conversation.begin(subject, [
      [{ say: 'one' }],
      [{ say: 'two' }],
      [{ say: 'three' }],
    ]);
    const { session: id = '' } = await conversation.ask('First question');
    const forked = await conversation.ask('In the fork', { session: { kind: 'fork', id } });
    expect(forked.session).not.toBe(id);
    expect(forked.result).toEqual({ kind: 'done' });
    const knows = subject.lacks.memory === undefined;
    if (knows) expect(await conversation.prompts()).toEqual(['First question', 'In the fork']);
    const original = await conversation.ask('In the original', { session: { kind: 'resume', id } });
    expect(original.session).toBe(id);
    if (knows) expect(await conversation.prompts()).toEqual(['First question', 'In the original']);
  });

  test('does not pretend to know a session that it does not', async (context) => {
    needs(context, subject, 'memory');
    await using conversation = await Conversation.begin(subject, [[{ say: 'one' }]]);
    const { result } = await conversation.ask('Go on', {
      session: { kind: 'resume', id: '01900000-0000-7000-8000-000000000000' },
    });
    expect(result).toMatchObject({ kind: 'failed', failure: { class: 'unknown-session' } });
  });
}
