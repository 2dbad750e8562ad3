import { expect, test } from 'vitest';
import type { AgentFailure } from '../../ports/agent.ts';
import type { AgentUnderTest, Fault } from '../agent-contract.ts';
import { Conversation, needs } from './conversation.ts';

type Expected = AgentFailure['class'];

const FAULTS: readonly (readonly [string, Fault, Expected])[] = [
  ['status 400', { status: 400 }, 'unknown'],
  ['status 401', { status: 401 }, 'auth'],
  ['status 402', { status: 402 }, 'quota'],
  ['status 403', { status: 403 }, 'auth'],
  ['status 429', { status: 429 }, 'rate-limit'],
  ['status 500', { status: 500 }, 'network'],
  ['status 529', { status: 529 }, 'network'],
  ['an account with nothing left', { spent: true }, 'quota'],
  ['an answer that breaks off', { cut: true }, 'network'],
  ['a refused connection', { refused: true }, 'network'],
];

export function faultCases(subject: AgentUnderTest): void {
  // They mostly wait, each agent in its own way, before they try again.
  test.concurrent.for(FAULTS)(
    'sorts %s, after bounded tries, and says what to do',
    async ([, fault, expected], context) => {
      needs(context, subject, 'model');
      await using conversation = await Conversation.begin(subject, [[fault]]);
      const { result, events } = await conversation.ask('Do it');
      expect(result).toMatchObject({ kind: 'failed', failure: { class: expected, hint: expect.stringMatching(/\w/) } });
      expect(events.at(-1)).toEqual({ kind: 'end', result });
    },
  );

  test.concurrent('gets over a single error by itself, and tells it', async (context) => {
    needs(context, subject, 'model');
    await using conversation = await Conversation.begin(subject, [[{ status: 500, once: true }, { say: 'better' }]]);
    const { result, events, text } = await conversation.ask('Do it');
    expect(result).toEqual({ kind: 'done' });
    expect(text).toBe('better');
    expect(events.some(({ kind }) => kind === 'warning')).toBe(true);
  });
}
