import { chmod, chown, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runOwn } from '../../../lib/exec/own-program.ts';
import { tempFolder } from '../../../testing/temp-repository.ts';

const root = process.geteuid?.() === 0;
const USER = root ? 65_534 : (process.getuid?.() ?? 0);

/** Prints what the probe says. */
const PROBE = `
const { tryOverlay } = await import(process.argv[1]);
const [layers, folder] = process.argv.slice(2);
console.log(await tryOverlay(undefined, { layers, folder }));`;

const asUser = root ? [`--reuid=${USER}`, `--regid=${USER}`, '--clear-groups'] : [];

test.skipIf(process.platform !== 'linux')(
  'an ordinary user is told that only root can, with what a trial in a user namespace came to',
  async ({ skip }) => {
    await using home = await tempFolder();
    await chmod(home.path, 0o755);
    const places = ['layers', 'folder'].map((name) => join(home.path, name));
    for (const place of places) {
      await mkdir(place);
      await chown(place, USER, USER);
    }
    const script = ['--input-type=module', '-e', PROBE, new URL('probe.ts', import.meta.url).href, ...places];
    const { code, stdout, stderr } = await runOwn('setpriv', [...asUser, process.execPath, ...script]);
    if (code !== 0 && /EACCES|ERR_MODULE_NOT_FOUND|Permission denied/.test(stderr))
      return skip('another user cannot read this checkout');
    expect(stdout.toString()).toMatch(
      /^only root can mount overlays (in which folders can be renamed|here|that programs of other namespaces see) ?(\(in a user namespace.+\))?\n$/,
    );
    for (const place of places) expect(await readdir(place)).toEqual([]);
  },
);
