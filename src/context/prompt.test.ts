import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { fenced } from './fence.ts';
import { commitMessage } from './messages.ts';
import { assemblePrompt, promptProblems } from './prompt.ts';

const task = { title: 'Add a flag', body: 'Add --dry-run.\n\nIt changes nothing.', links: ['https://example.org/1'] };
const prompt = (more: Partial<Parameters<typeof assemblePrompt>[0]>) =>
  assemblePrompt({ task, with: {}, node: 'implement', ...more });

test('a prompt file is filled in with the task, the node, the run and what was handed on', () => {
  const template = '{{task.title}}|{{task.links}}|{{node}}|{{run.id}}|{{review}}|{{with.review}}';
  expect(prompt({ template, with: { review: 'Rename it' }, run: { id: 'r1' } })).toEqual({
    text: 'Add a flag|https://example.org/1|implement|r1|Rename it|Rename it\n',
    notes: [],
  });
});

test('without a prompt file the agent is told the task', () => {
  const { text } = prompt({});
  expect(text).toMatch(
    /^# Add a flag\n\nAdd --dry-run\.\n\nIt changes nothing\.\n\nLinks:\n- https:\/\/example\.org\/1\n\n/,
  );
});

test('a task that is only its title is told once', () => {
  expect(prompt({ task: { title: 'Do it', body: 'Do it', links: [] } }).text.match(/Do it/g)).toHaveLength(1);
});

test('a session that goes on hears what is new, and the task by its title only', () => {
  const { text } = prompt({ resumed: true, with: { failure: 'test: failed\n- a.ts:1 no' } });
  expect(text).toMatch(
    /^There is news on your task "Add a flag"\.\n\n## What failed\n\n```\ntest: failed\n- a\.ts:1 no\n```\n/,
  );
  expect(text).not.toContain('--dry-run');
});

test('what is null or empty is left out', () => {
  expect(prompt({ with: { failure: null, note: '', plan: undefined } }).text).not.toContain('##');
});

test('data that is no text is shown as JSON under a heading of its name', () => {
  expect(prompt({ with: { 'open-points': { a: 1 } } }).text).toContain('## Open points\n\n```\n{\n  "a": 1\n}\n```');
});

test('what a prompt file has no place for follows it', () => {
  const { text } = prompt({ template: 'Go. {{#if note}}x{{/if}}', with: { note: 'used', failure: 'it broke' } });
  expect(text).toBe('Go. x\n\n## What failed\n\n```\nit broke\n```\n');
});

test('a value that is too long loses its middle, and the notes say so', () => {
  const { text, notes } = prompt({ with: { failure: `BEGIN${'x'.repeat(200_000)}END` } });
  expect(text).toContain('BEGIN');
  expect(text).toContain('END');
  expect(text.length).toBeLessThan(70_000);
  expect(notes).toEqual([expect.stringMatching(/^"failure" was cut: \d+ of 200008 characters/)]);
});

test('many long values stay bounded together', () => {
  const values = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`value-${index}`, 'y'.repeat(100_000)]));
  const { text, notes } = prompt({ with: values });
  expect(text.length).toBeLessThan(700_000);
  expect(notes).toHaveLength(40);
});

test('the longest task that is accepted arrives whole', () => {
  const body = 'z'.repeat(512 * 1024);
  expect(prompt({ task: { ...task, body } }).text).toContain(body);
});

test('a zero byte, which no argument can hold, is taken out', () => {
  expect(prompt({ with: { failure: 'a\0b' } }).text).toContain('ab');
});

test('nothing in a text can end the fence round it', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('`', '\n', 'a', ' ', '~') }), (text) => {
      const [first = '', ...rest] = fenced(text).split('\n');
      expect(first).toMatch(/^`{3,}$/);
      expect(rest.at(-1)).toBe(first);
      for (const line of rest.slice(0, -1)) expect(line.trim().startsWith(first)).toBe(false);
    }),
  );
});

test('a prompt file may use what its node is handed, and must not rely on more', () => {
  const check = (text: string) => promptProblems({ file: 'a.md', text }, ['review']).map(({ message }) => message);
  expect(check('{{task.body}}{{node}}{{run.id}}{{review}}{{with.review}}{{review.first}}')).toEqual([]);
  expect(check('{{#if note}}{{note}}{{/if}}')).toEqual([]);
  expect(check('{{note}}{{task.bodi}}{{run.secret}}{{node.x}}')).toHaveLength(4);
});

test('a commit message is a subject and a body, free of control characters', () => {
  const values = { task: { title: 'Add a flag' }, run: { id: 'r1' } };
  expect(commitMessage(undefined, values)).toBe('Add a flag\n');
  expect(commitMessage('feat: {{task.title}}\n\nRun {{run.id}}\u001b[2J\n', values)).toBe(
    'feat: Add a flag\n\nRun r1\n',
  );
  expect(commitMessage('{{nothing}}', values)).toBe('Add a flag\n');
  expect(commitMessage('{{task.title}}', { task: { title: 'x'.repeat(300) } }).length).toBeLessThan(110);
  expect(commitMessage('', { task: { title: ' ' } })).toBe('Change\n');
});
