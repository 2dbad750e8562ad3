import { cp, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkoutIsPublic } from '../../testing/readable-by-all.ts';
import { type Binaries, prepareBinaries, resolveBinaries } from './binaries.ts';

const NOBODY = 65_534;

let folder: string;
let native: string;
let privateParent: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'binaries-'));
  native = join(folder, 'native');
  privateParent = join(folder, 'private');
});

afterEach(async () => {
  await execa('chmod', ['-R', 'u+w', folder]);
  await rm(folder, { recursive: true });
});

test('the installed programs are found, with their version', async () => {
  const binaries = await resolveBinaries(privateParent);
  expect(await versionOf(binaries)).toContain(`PostgreSQL) ${binaries.major}.`);
  expect(binaries.major).toMatch(/^\d+$/);
  expect(await readdir(folder)).toEqual([]);
});

test('missing library links are made in the package', async () => {
  await installWithoutLinks();
  // An interrupted repair may have left one that leads nowhere.
  await symlink('nowhere', join(native, 'lib', 'libicui18n.so.60'));
  const binaries = await prepareBinaries({ native, version: '18.4.0', privateParent });
  expect(dirname(dirname(binaries.postgres))).toBe(native);
  expect(await versionOf(binaries)).toContain('18.4');
  expect(await readdir(folder)).toEqual(['native']);
});

// Root can write anywhere, so an ordinary user does it, who has to be able to run the programs in this checkout.
test.runIf(process.getuid?.() !== 0 || checkoutIsPublic)(
  'where the package cannot be written, a private copy gets the links, once',
  async () => {
    await installWithoutLinks();
    const before = await readdir(join(native, 'lib'));
    const binaries = await prepareWithoutWriting();
    expect(dirname(dirname(binaries.postgres))).toBe(join(privateParent, 'pg-bin-18.4.0'));
    expect(await versionOf(binaries)).toContain('18.4');
    expect(await readdir(join(native, 'lib'))).toEqual(before);
    expect(await prepareWithoutWriting()).toEqual(binaries);
    expect(await readdir(privateParent)).toEqual(['pg-bin-18.4.0']);
  },
);

/** The package as it is when no install script has run. */
async function installWithoutLinks(): Promise<void> {
  const { postgres } = await resolveBinaries(privateParent);
  const installed = dirname(dirname(postgres));
  const links = (await readdir(join(installed, 'lib'), { withFileTypes: true })).filter((entry) =>
    entry.isSymbolicLink(),
  );
  const names = new Set(links.map(({ name }) => name));
  const filter = (path: string) => !names.has(basename(path)) && !path.endsWith('.a');
  await cp(installed, native, { recursive: true, filter });
}

/** Root can write anywhere, so an ordinary user does it. */
async function prepareWithoutWriting(): Promise<Binaries> {
  await mkdir(privateParent, { recursive: true });
  const ids = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  if (ids.uid) await execa('chown', [`${NOBODY}:${NOBODY}`, privateParent]);
  await execa('chmod', ['a+rx', folder]);
  await execa('chmod', ['-R', 'a-w', native]);
  const options = JSON.stringify({ native, version: '18.4.0', privateParent });
  const program = `
    const { prepareBinaries } = await import(${JSON.stringify(new URL('binaries.ts', import.meta.url).href)});
    console.log(JSON.stringify(await prepareBinaries(${options})));`;
  const { stdout } = await execa(process.execPath, ['--input-type=module', '--eval', program], ids);
  return JSON.parse(stdout) as Binaries;
}

async function versionOf({ postgres }: Binaries): Promise<string> {
  return (await execa(postgres, ['--version'])).stdout;
}
