import { expect, test } from 'vitest';
import { SecretName } from './secret.ts';

test.for(['NPM_TOKEN', 'a', '_X9', 'PATHS', 'LDAP_PASSWORD', 'CI_TOKEN'])('%s names a secret', (name) => {
  expect(SecretName.safeParse(name).success).toBe(true);
});

test.for([
  '',
  '9X',
  'A-B',
  'A B',
  'A=B',
  'Ä',
  'x'.repeat(129),
  'PATH',
  'LD_PRELOAD',
  'NODE_OPTIONS',
  'SWITCHYARD_HOME',
  'LC_ALL',
])('%j does not', (name) => {
  expect(SecretName.safeParse(name).success).toBe(false);
});
