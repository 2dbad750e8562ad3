import { expect, test } from 'vitest';
import { agentEventLines } from './agent-event-lines.ts';

const WELL = { code: 0, signal: null, stderr: '' };

test('reads every kind of line, filling in what is left out', () => {
  const parser = agentEventLines();
  const read = (line: object) => parser.line(JSON.stringify(line))[0];
  expect(read({ kind: 'session', id: 's' })).toEqual({ kind: 'session', id: 's' });
  expect(read({ kind: 'text', text: 't', more: 1 })).toEqual({ kind: 'text', text: 't' });
  expect(read({ kind: 'tool-started', call: '1', name: 'sh' })).toEqual({
    kind: 'tool-started',
    call: '1',
    name: 'sh',
    input: '',
  });
  expect(read({ kind: 'tool-ended', call: '1' })).toEqual({
    kind: 'tool-ended',
    call: '1',
    name: '',
    output: '',
    ok: true,
  });
  expect(read({ kind: 'usage', usage: { input: 1, output: 2 } })).toEqual({
    kind: 'usage',
    usage: { input: 1, output: 2, cached: 0, reasoning: 0, cost: null },
  });
  expect(read({ kind: 'end' })).toEqual({ kind: 'end', result: { kind: 'done' } });
});

test('takes a class of failure that it does not know for unknown', () => {
  const failure = { class: 'mood', message: 'no' };
  expect(agentEventLines().line(JSON.stringify({ kind: 'end', result: { kind: 'failed', failure } }))).toEqual([
    { kind: 'end', result: { kind: 'failed', failure: { class: 'unknown', message: 'no', hint: '' } } },
  ]);
});

test.each(['', 'Loading...', '{"kind":"te', '[1]', '"text"', 'null', '7'])('leaves out the noise %j', (line) => {
  expect(agentEventLines().line(line)).toEqual([]);
});

test('warns of JSON that is no event, a few times', () => {
  const parser = agentEventLines();
  const wrong = [
    '{"kind":"tex","text":"x"}',
    '{"kind":"text"}',
    '{}',
    '{"kind":"session","id":""}',
    '{"kind":"end","result":1}',
  ];
  const events = wrong.flatMap((line) => parser.line(line));
  expect(events).toHaveLength(3);
  expect(events[0]).toEqual({
    kind: 'warning',
    text: 'the agent wrote a line that is no event: {"kind":"tex","text":"x"}',
  });
});

test('adds no end to one that was told', () => {
  const parser = agentEventLines();
  parser.line('{"kind":"end"}');
  expect(parser.end({ ...WELL, code: 1 })).toEqual([]);
});

test.each([
  [WELL, 'with exit code 0'],
  [{ ...WELL, code: 2, stderr: 'no such model\n' }, 'with exit code 2 before its turn did: no such model'],
  [{ code: null, signal: 'SIGKILL', stderr: '' }, 'by SIGKILL'],
])('takes a program that ended without an end for failed', (exit, words) => {
  expect(agentEventLines().end(exit)).toMatchObject([
    { kind: 'end', result: { kind: 'failed', failure: { message: expect.stringContaining(words) } } },
  ]);
});
