import { expect, test } from 'vitest';
import type { AgentUnderTest } from '../agent-contract.ts';
import { Conversation, needs } from './conversation.ts';

const PROMPTS: readonly (readonly [string, string])[] = [
  ['of 400 KB', 'word '.repeat(80_000)],
  ['that begins with a dash', '-rf --help'],
  ['that is a dash', '-'],
  ['that looks like a subcommand', 'resume'],
  ['with letters of all kinds', 'Ünïcödé 😀\n\n"quotes" \'single\' $HOME `tick` \\ back\tslash'],
];

export function promptCases(subject: AgentUnderTest): void {
  test.each(PROMPTS)('takes a prompt %s', async (_what, prompt) => {
    await using conversation = await Conversation.begin(subject, [[{ say: 'read' }]]);
    const { result } = await conversation.ask(prompt);
    expect(result).toEqual({ kind: 'done' });
  });

  test.each(PROMPTS)('reads a prompt %s whole', async (_what, prompt) => {
    if (subject.lacks['reading prompts'] !== undefined) return;
    await using conversation = await Conversation.begin(subject, [[{ say: 'read' }]]);
    await conversation.ask(prompt);
    const asked = await conversation.agent.prompts();
    expect(asked.map((text) => text.trim())).toEqual([prompt.trim()]);
  });

  test('takes a prompt that begins with a dash in a resumed session', async (context) => {
    needs(context, subject, 'sessions');
    await using conversation = await Conversation.begin(subject, [[{ say: 'one' }], [{ say: 'two' }]]);
    const { session: id = '' } = await conversation.ask('First');
    const { events } = await conversation.ask('--last -x', { session: { kind: 'resume', id } });
    expect(events).toContainEqual({ kind: 'text', text: 'two' });
  });
}
