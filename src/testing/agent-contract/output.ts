import { expect, test } from 'vitest';
import type { AgentAdapter } from '../../ports/agent.ts';
import type { AgentUnderTest } from '../agent-contract.ts';
import { Conversation, needs } from './conversation.ts';

export function outputCases(subject: AgentUnderTest): void {
  test('survives a tool that floods it with output', async (context) => {
    needs(context, subject, 'tools');
    await using conversation = await Conversation.begin(subject, [
      [{ run: 'yes flood | head -c 30000000' }, { say: 'done' }],
    ]);
    const { events, result } = await conversation.ask('Flood');
    expect(result).toEqual({ kind: 'done' });
    const output = events.flatMap((event) => (event.kind === 'tool-ended' ? [event.output] : [])).join('');
    expect(output).toContain('flood');
    expect(output.length).toBeLessThan(100_000);
  });

  test('survives a flood of words', async () => {
    await using conversation = await Conversation.begin(subject, [[{ say: `${'many words '.repeat(30_000)}end` }]]);
    const { result, text } = await conversation.ask('Talk');
    expect(result).toEqual({ kind: 'done' });
    expect(text).toContain('many words');
    expect(text.endsWith('end')).toBe(true);
    expect(text.length).toBeLessThan(100_000);
  });

  test('is not confused by what others write to its output', async (context) => {
    needs(context, subject, 'final event');
    await using conversation = await Conversation.begin(subject, [[{ say: 'Hello there.' }]]);
    const { result, events } = await conversation.ask('Say hello', { adapter: noisy(subject.adapter) });
    expect(result).toEqual({ kind: 'done' });
    expect(events.filter(({ kind }) => kind === 'text')).toEqual([{ kind: 'text', text: 'Hello there.' }]);
  });

  test('has not done its turn when its program ends well without a word', async (context) => {
    needs(context, subject, 'final event');
    await using conversation = await Conversation.begin(subject, [[{ say: 'never said' }]]);
    const { result } = await conversation.ask('Say hello', { adapter: startedBy('exit 0', subject.adapter) });
    expect(result).toMatchObject({ kind: 'failed', failure: { class: 'unknown', hint: expect.stringMatching(/\w/) } });
  });
}

const NOISE = ['Loading…', '{"type":', '[1]', 'null', '{}', '{"type":"news"}', '', '\\033[31mred\\033[0m'];

/** Says all sorts of things before and after the agent's own output. */
function noisy(adapter: AgentAdapter): AgentAdapter {
  const noise = NOISE.map((line) => `printf '${line}\\n'`).join('; ');
  return startedBy(`${noise}; "$@"; code=$?; ${noise}; exit $code`, adapter);
}

/** The same agent, started by a script for `sh` that has its command as arguments. */
function startedBy(script: string, adapter: AgentAdapter): AgentAdapter {
  return {
    ...adapter,
    async command(turn) {
      const command = await adapter.command(turn);
      return { ...command, argv: ['sh', '-c', script, 'sh', ...command.argv] };
    },
  };
}
