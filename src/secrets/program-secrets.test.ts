import { expect, test } from 'vitest';
import { KnownSecrets } from './known-secrets.ts';
import { programSecrets } from './program-secrets.ts';
import type { Secret, SecretStore } from './store.ts';

function storeOf(secrets: () => readonly Secret[]): SecretStore {
  const all = async () => [...secrets()];
  return { list: all, read: all, put: async () => false, remove: async () => false };
}

const secret = (name: string, repository: string | null, value: string): Secret => ({
  name,
  repository,
  value,
  setAt: '',
});

function of(...secrets: Secret[]) {
  const known = new KnownSecrets();
  const unreadable: unknown[] = [];
  const onUnreadable = (error: unknown) => void unreadable.push(error);
  return {
    secrets,
    known,
    unreadable,
    programs: programSecrets({ store: storeOf(() => secrets), known, onUnreadable, ofAgents: () => new Set(['KEY']) }),
  };
}

test('a program gets what it names and nothing else, its own repository’s before that for all', async () => {
  const { programs } = of(
    secret('A', null, 'for all A'),
    secret('A', 'shop', 'of shop A'),
    secret('B', null, 'for all B'),
    secret('C', 'other', 'of other C'),
  );
  expect(await programs.valuesOf('shop', ['A', 'B'])).toEqual({ A: 'of shop A', B: 'for all B' });
  expect(await programs.valuesOf('other', ['A'])).toEqual({ A: 'for all A' });
  expect(await programs.valuesOf('shop', [])).toEqual({});
});

test('what is not stored is named with how to set it, another repository’s included', async () => {
  const { programs } = of(secret('A', null, 'for all A'), secret('C', 'other', 'of other C'));
  await expect(programs.valuesOf('shop', ['A', 'C', 'D'])).rejects.toMatchObject({
    code: 'secret/missing',
    message: 'Secrets are not stored for this repository: C and D.',
    hint: expect.stringContaining('`switchyard secret set C`, `switchyard secret set D`'),
  });
});

test('all that is stored is taken out of texts from the next look on, also what was replaced or removed since', async () => {
  const { programs, known, secrets } = of(secret('A', 'shop', 'first value'));
  expect(known.redact('first value')).toBe('first value');
  await programs.refresh();
  expect(known.redact('first value')).toBe('[secret A]');
  secrets.splice(0, 1, secret('A', 'shop', 'second value'));
  await programs.refresh();
  expect(programs.redact('first value, second value')).toBe('[secret A], [secret A]');
});

test('a store that cannot be read is told of, and fails only who needs a secret', async () => {
  const error = new Error('others may read it');
  const store = { ...storeOf(() => []), read: () => Promise.reject(error) };
  const told: unknown[] = [];
  const programs = programSecrets({
    store,
    known: new KnownSecrets(),
    onUnreadable: (why) => void told.push(why),
    ofAgents: () => new Set(),
  });
  await programs.refresh();
  expect(told).toEqual([error]);
  expect(await programs.valuesOf('shop', [])).toEqual({});
  await expect(programs.valuesOf('shop', ['A'])).rejects.toBe(error);
});

test('no program gets the key of an agent, which the gateway does; a repository’s own secret of that name stays its own', async () => {
  const { programs } = of(
    secret('KEY', null, 'key of an agent'),
    secret('TOKEN', null, 'a token'),
    secret('KEY', 'shop', 'of shop'),
  );
  await expect(programs.valuesOf('other', ['KEY'])).rejects.toMatchObject({ code: 'secret/missing' });
  expect(await programs.valuesOf('other', ['TOKEN'])).toEqual({ TOKEN: 'a token' });
  expect(await programs.valuesOf('shop', ['KEY'])).toEqual({ KEY: 'of shop' });
  expect(await programs.forAllRepositories()).toEqual({ KEY: 'key of an agent', TOKEN: 'a token' });
});
