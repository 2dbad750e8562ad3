import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const PROGRAM = `
import { openLog } from ${JSON.stringify(new URL('./log.ts', import.meta.url).href)};
import { KnownSecrets } from ${JSON.stringify(new URL('../secrets/known-secrets.ts', import.meta.url).href)};
const known = new KnownSecrets();
const log = openLog(known.redact);
const value = 'token-"quoted"-1234';
log.info('before', { value });
known.know([{ name: 'TOKEN', value }]);
log.info('after ' + value, { value });
log.error('failed', new Error('with ' + Buffer.from(value).toString('base64'), { cause: new Error(value) }));
`;

test('the log leaves out secrets from when they are known, and stays one JSON object a line', async () => {
  const { stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', PROGRAM]);
  const [before, after, failed] = stderr
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(before).toMatchObject({ msg: 'before', value: 'token-"quoted"-1234' });
  expect(after).toMatchObject({ msg: 'after [secret TOKEN]', value: '[secret TOKEN]' });
  expect(failed).toMatchObject({
    msg: 'failed',
    err: { message: expect.stringMatching(/^with \[secret TOKEN\].{0,3}: \[secret TOKEN\]$/) },
  });
});
