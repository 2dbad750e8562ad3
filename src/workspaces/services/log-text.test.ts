import { expect, test } from 'vitest';
import { logText, withoutSecrets } from './log-text.ts';

test('what looks like a secret is hidden, what does not stays', () => {
  const hidden = [
    ['postgres://app:hunter2@localhost/db', 'postgres://app:[hidden]@localhost/db'],
    ['POSTGRES_PASSWORD=hunter2 ok', 'POSTGRES_PASSWORD=[hidden] ok'],
    ['"apiKey": "abc", "port": 1', '"apiKey": "[hidden]", "port": 1'],
    ['authorization: Bearer abcdefghijklmnopqrstuvwx', 'authorization: Bearer [hidden]'],
    ['using ghp_0123456789abcdefghij0123', 'using [hidden]'],
    ['-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----\nok', '[hidden]\nok'],
  ] as const;
  for (const [text, shown] of hidden) expect(withoutSecrets(text)).toBe(shown);
  for (const text of [
    'http://localhost:3000/a@b',
    'listening on 5432',
    'password authentication failed',
    'a basic idea',
  ])
    expect(withoutSecrets(text)).toBe(text);
});

test('only the last lines are kept, each bounded, without what a terminal would obey', () => {
  const text = logText(
    `${Array.from({ length: 100 }, (_, n) => `line ${n}`).join('\n')}\n\u001b[31m${'x'.repeat(1000)}\n`,
  );
  expect(text.split('\n')).toHaveLength(30);
  expect(text.split('\n')[0]).toBe('line 71');
  expect(text.endsWith(`${'x'.repeat(400)} […]`)).toBe(true);
});
