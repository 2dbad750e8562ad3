import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, type TestContext, test } from 'vitest';
import { whichOn } from '../lib/exec/which.ts';
import { waitUntil } from '../lib/wait-until.ts';
import { type TempFolder, tempFolder } from '../testing/temp-repository.ts';
import { type Keyring, systemKeyring } from './keyring.ts';

/** The real keyring of a session of its own. Where its programs are not installed (secret-tool, gnome-keyring, dbus), there is nothing to try. */

const PROGRAMS = ['secret-tool', 'gnome-keyring-daemon', 'dbus-daemon'];

let temp: TempFolder;
let missing: readonly string[] = [];
let keyring: Keyring;
const stack = new AsyncDisposableStack();

beforeAll(async () => {
  temp = stack.use(await tempFolder('keyring'));
  const which = whichOn(process.env['PATH']);
  const found = await Promise.all(PROGRAMS.map(async (name) => ({ name, path: await which(name) })));
  missing = found.filter(({ path }) => path === undefined).map(({ name }) => name);
  if (missing.length > 0) return;
  const env = { PATH: process.env['PATH'] ?? '', HOME: temp.path, XDG_RUNTIME_DIR: join(temp.path, 'run') };
  await mkdir(env.XDG_RUNTIME_DIR, { mode: 0o700 });
  const bus = begin(
    'dbus-daemon',
    ['--session', '--nofork', '--print-address', `--address=unix:dir=${temp.path}`],
    env,
  );
  const [address = ''] = await firstLine(bus.stdout);
  const session = { ...env, DBUS_SESSION_BUS_ADDRESS: address };
  begin('gnome-keyring-daemon', ['--foreground', '--unlock', '--components=secrets'], session).stdin.end('password');
  keyring = systemKeyring(session, 'linux');
  const place = { home: '/probe', name: 'PROBE', repository: null };
  const isThere = () =>
    keyring.put(place, 'probe').then(
      () => true,
      () => false,
    );
  await waitUntil(isThere, { timeoutMs: 20_000, everyMs: 50, what: 'the keyring to be unlocked' });
}, 30_000);
afterAll(() => stack.disposeAsync());

/** A program that ends with the tests. */
function begin(file: string, args: readonly string[], env: Readonly<Record<string, string>>) {
  const child = spawn(file, args, { env, stdio: ['pipe', 'pipe', 'ignore'] });
  const ended = new Promise<void>((resolve) => void child.once('exit', () => resolve()));
  stack.defer(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  return child;
}

async function firstLine(stream: NodeJS.ReadableStream): Promise<string[]> {
  for await (const line of createInterface({ input: stream })) return [line];
  return [];
}

function skipWithout(context: TestContext): void {
  if (missing.length > 0) context.skip(`not installed: ${missing.join(', ')}`);
}

const place = { home: '/home/ada/.local/state/switchyard', name: 'NPM_TOKEN', repository: 'shop-12345678' };

test('a value comes back as it was, whatever is in it, and the last one counts', async (context) => {
  skipWithout(context);
  for (const value of [
    'plain',
    ' blanks \n',
    '-----BEGIN KEY-----\nMII\n-----END KEY-----\n',
    '"quoted" $x `y` ü 😀',
  ]) {
    await keyring.put(place, value);
    expect(await keyring.get(place)).toBe(value);
  }
});

test('homes, repositories and names do not see each other’s values', async (context) => {
  skipWithout(context);
  const others = [
    { ...place, home: '/other' },
    { ...place, repository: null },
    { ...place, repository: 'shop' },
    { ...place, name: 'NPM' },
  ];
  await keyring.put(place, 'mine');
  for (const other of others) expect(await keyring.get(other)).toBeUndefined();
  for (const [n, other] of others.entries()) await keyring.put(other, `theirs ${n}`);
  expect(await keyring.get(place)).toBe('mine');
  for (const [n, other] of others.entries()) expect(await keyring.get(other)).toBe(`theirs ${n}`);
});

test('what was removed is not there any more, and removing it again is no failure', async (context) => {
  skipWithout(context);
  await keyring.put(place, 'mine');
  await keyring.remove(place);
  expect(await keyring.get(place)).toBeUndefined();
  await keyring.remove(place);
});

test('without a session the failure says so, and what else there is', async (context) => {
  skipWithout(context);
  const alone = systemKeyring({ PATH: process.env['PATH'], HOME: temp.path }, 'linux');
  const failure = { code: 'secret/keyring', hint: expect.stringContaining('store: file') };
  await expect(alone.put(place, 'mine')).rejects.toMatchObject(failure);
  await expect(alone.get(place)).rejects.toMatchObject(failure);
});

test('without the program it is the same', async () => {
  for (const platform of ['linux', 'darwin']) {
    const none = systemKeyring({ PATH: '/nonexistent' }, platform);
    const text = platform === 'linux' ? 'secret-tool' : 'security';
    await expect(none.get(place)).rejects.toMatchObject({
      code: 'secret/keyring',
      message: expect.stringContaining(text),
    });
  }
});
