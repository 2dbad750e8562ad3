import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { MachineConfig } from '../../config/machine.ts';
import { resolveHome } from '../../lib/home.ts';
import { tempFolder, writeProgram } from '../../testing/temp-repository.ts';
import { type SecretRowsParts, secretRows } from './secrets.ts';

async function rows(folder: string, more: Partial<SecretRowsParts> = {}) {
  const home = resolveHome({ SWITCHYARD_HOME: folder });
  return secretRows({ home, config: MachineConfig.parse({}), env: {}, platform: 'linux', ...more });
}

const KEYRING = MachineConfig.parse({ secrets: { store: 'keyring' } });

test('secrets are counted, and a file of them that others can read is a problem with what to do', async () => {
  await using temp = await tempFolder('doctor-secrets');
  const folder = join(temp.path, 'home');
  expect(await rows(folder)).toMatchObject([{ level: 'info', text: expect.stringMatching(/^0 secrets/) }]);
  await mkdir(folder, { mode: 0o700 });
  const file = join(folder, 'secrets.json');
  const secret = { name: 'TOKEN', repository: null, setAt: '2026-01-01T00:00:00.000Z' };
  const secrets = [{ ...secret, value: 'not-to-be-shown' }, secret];
  await writeFile(file, JSON.stringify({ schema: 1, secrets }), { mode: 0o600 });
  const shown = await rows(folder);
  expect(shown).toMatchObject([{ text: `2 secrets, 1 in the keyring; new ones go to ${file}` }]);
  expect(JSON.stringify(shown)).not.toContain('not-to-be-shown');
  await chmod(file, 0o644);
  expect(await rows(folder)).toMatchObject([{ level: 'problem', hint: expect.stringContaining('chmod 600') }]);
});

test('a keyring is looked for where secrets are to go into it: its program, and a session', async () => {
  await using temp = await tempFolder('doctor-secrets');
  const none = await rows(temp.path, { config: KEYRING });
  expect(none.at(-1)).toMatchObject({
    level: 'problem',
    name: 'keyring',
    text: expect.stringContaining('secret-tool'),
  });
  await writeProgram(join(temp.path, 'secret-tool'));
  const env = { PATH: temp.path };
  const alone = await rows(temp.path, { config: KEYRING, env });
  expect(alone.at(-1)).toMatchObject({ level: 'problem', text: expect.stringContaining('no session') });
  const session = { ...env, DBUS_SESSION_BUS_ADDRESS: 'unix:path=/x' };
  expect((await rows(temp.path, { config: KEYRING, env: session })).at(-1)).toMatchObject({ level: 'ok' });
});

test('the keyring of a Mac is said to be untested', async () => {
  await using temp = await tempFolder('doctor-secrets');
  await writeProgram(join(temp.path, 'security'));
  const [, row] = await rows(temp.path, { config: KEYRING, env: { PATH: temp.path }, platform: 'darwin' });
  expect(row).toMatchObject({ level: 'warning', text: expect.stringContaining('untested') });
});
