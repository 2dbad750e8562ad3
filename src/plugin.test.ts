import { expect, test } from 'vitest';
import { type AgentAdapter, definePlugin } from './plugin.ts';

const agent = (kind: string): AgentAdapter => ({
  kind,
  sessionFiles: [],
  describe: () => 'signs in by itself',
  command: () => Promise.resolve({ argv: ['true'], env: {} }),
  parser: () => ({ line: () => [], end: () => [{ kind: 'end', result: { kind: 'done' } }] }),
});

test('gives the plugin back as it was given', () => {
  const plugin = { name: 'ours', agents: [agent('one'), agent('other')] };
  expect(definePlugin(plugin)).toBe(plugin);
});

test('takes a plugin that adds nothing', () => {
  expect(definePlugin({ name: 'empty' })).toEqual({ name: 'empty' });
});

test('refuses two things of one name', () => {
  const twice = { name: 'ours', agents: [agent('one'), agent('one')] };
  expect(() => definePlugin(twice)).toThrow('the plugin ours has two agents named "one"');
});

test.each(['', 'Ours', 'our plugin', '../ours', '9'])('refuses the name %j', (name) => {
  expect(() => definePlugin({ name })).toThrow('cannot be the name of a plugin');
});
