import { expect, test } from 'vitest';
import { ModelApi } from '../../../domain/model-call.ts';
import { wireOf } from './index.ts';

test.each([
  ['anthropic', { 'x-api-key': 'one' }],
  ['anthropic', { authorization: 'Bearer one' }],
  ['anthropic', { 'x-api-key': 'one', authorization: 'bearer one' }],
  ['responses', { authorization: 'Bearer  one ' }],
  ['chat', { authorization: 'BEARER one' }],
  ['gemini', { 'x-goog-api-key': 'one' }],
  ['gemini', { authorization: 'Bearer one' }],
] as const)('%s takes the token out of %j', (api, headers) => {
  expect(wireOf(api).tokenOf(headers)).toBe('one');
});

test.each([
  ['anthropic', {}],
  ['anthropic', { 'x-api-key': 'one', authorization: 'Bearer two' }],
  ['anthropic', { 'x-api-key': 'one', authorization: 'Basic b25lOg==' }],
  ['anthropic', { 'x-api-key': 'one, two' }],
  ['anthropic', { 'x-api-key': '' }],
  ['anthropic', { 'x-goog-api-key': 'one' }],
  ['responses', { 'x-api-key': 'one' }],
  ['responses', { authorization: 'one' }],
  ['responses', { authorization: 'Bearer one two' }],
  ['chat', { authorization: 'Bearer ' }],
  ['gemini', { 'x-api-key': 'one' }],
] as const)('%s takes no token out of %j', (api, headers) => {
  expect(wireOf(api).tokenOf(headers)).toBeUndefined();
});

test('a key goes into the header of its protocol', () => {
  expect(wireOf('anthropic').credential('k', 'ANTHROPIC_API_KEY')).toEqual({ 'x-api-key': 'k' });
  expect(wireOf('responses').credential('k', 'OPENAI_API_KEY')).toEqual({ authorization: 'Bearer k' });
  expect(wireOf('chat').credential('k', 'OPENAI_API_KEY')).toEqual({ authorization: 'Bearer k' });
  expect(wireOf('gemini').credential('k', 'GEMINI_API_KEY')).toEqual({ 'x-goog-api-key': 'k' });
});

test('a key that Claude Code would take for a token goes where Claude Code puts those', () => {
  expect(wireOf('anthropic').credential('k', 'ANTHROPIC_AUTH_TOKEN')).toEqual({ authorization: 'Bearer k' });
  expect(wireOf('anthropic').credential('k', 'CLAUDE_CODE_OAUTH_TOKEN')).toEqual({ authorization: 'Bearer k' });
});

test.each(ModelApi.options)('no header in which %s takes a key is passed on from a client', (api) => {
  const wire = wireOf(api);
  const own = ['A', 'ANTHROPIC_AUTH_TOKEN'].flatMap((variable) => Object.keys(wire.credential('k', variable)));
  expect(wire.credentialHeaders).toEqual(expect.arrayContaining([...own, 'authorization', 'cookie']));
  expect(wire.credentialHeaders.every((name) => name === name.toLowerCase())).toBe(true);
});
