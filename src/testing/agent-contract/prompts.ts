import { expect, test } from 'vitest';
import type { AgentUnderTest } from '../agent-contract.ts';
import { Conversation, needs } from './conversation.ts';

const PROMPTS: readonly (readonly [string, string])[] = [
  ['of 500 KB', 'word '.repeat(100_000)],
  ['that begins with a dash', '-rf --help'],
  ['that is a dash', '-'],
  ['that looks like a subcommand', 'resume'],
  ['that looks like a command of the program’s own', '/compact now'],
  ['that looks like a line for a shell', '!ls > listed'],
  ['with letters of all kinds', 'Ünïcödé 😀\n\n"quotes" \'single\' $HOME `tick` \\ back\tslash'],
];

export function promptCases(subject: AgentUnderTest): void {
  test.each(PROMPTS)('reads a prompt %s', async (_what, prompt) => {
    await using conversation = await Conversation.begin(subject, [[{ say: 'read' }]]);
    expect(await conversation.ask(prompt)).toMatchObject({ result: { kind: 'done' }, text: 'read' });
    if (subject.lacks['reading prompts'] !== undefined) return;
    expect(await conversation.prompts()).toEqual([prompt.trim()]);
  });

  test('reads a prompt that begins with a dash in a resumed session', async (context) => {
    needs(context, subject, 'sessions');
    await using conversation = await Conversation.begin(subject, [[{ say: 'one' }], [{ say: 'two' }]]);
    const { session: id = '' } = await conversation.ask('First');
    const second = await conversation.ask('--last -x', { session: { kind: 'resume', id } });
    expect(second).toMatchObject({ session: id, text: 'two' });
  });
}
