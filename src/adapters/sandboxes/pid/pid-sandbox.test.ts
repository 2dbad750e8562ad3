import { expect, test } from 'vitest';
import { whichOn } from '../../../lib/exec/which.ts';
import { BARE_ENCLOSURE, type Walls } from '../../../ports/sandbox.ts';
import { sandboxContract } from '../../../testing/sandbox-contract.ts';
import { pidRemains, probeBubblewrap, probePid, probeUnshare } from './index.ts';

const which = whichOn(process.env['PATH']);
const module = new URL('index.ts', import.meta.url).href;

const withUnshare = await probeUnshare(which);
const withBubblewrap = await probeBubblewrap(which);

for (const [name, probed] of [
  ['probeBubblewrap', withBubblewrap],
  ['probeUnshare', withUnshare],
] as const) {
  test(`${name} finds something to test`, (context) => {
    if ('missing' in probed) context.skip(probed.missing);
    expect(probed).toMatchObject({ level: 'pid' });
  });
  if ('missing' in probed) continue;
  sandboxContract({
    title: `level pid by ${probed.mechanism}`,
    make: () => Promise.resolve(probed.enclose(BARE_ENCLOSURE)),
    walls: { module, export: name, remains: pidRemains },
  });
}

test('bubblewrap is preferred where it works', async () => {
  const expected = 'missing' in withBubblewrap ? withUnshare : withBubblewrap;
  expect(mechanismOf(await probePid(which))).toBe(mechanismOf(expected));
});

test('without bubblewrap util-linux takes its place', async () => {
  const found = await probePid((name) => (name === 'bwrap' ? Promise.resolve(undefined) : which(name)));
  expect(mechanismOf(found)).toBe(mechanismOf(withUnshare));
});

test('a bubblewrap that does not work is not believed', async () => {
  const found = await probePid((name) => which(name === 'bwrap' ? 'false' : name));
  expect(mechanismOf(found)).toBe(mechanismOf(withUnshare));
});

test('says what is missing where there is neither', async () => {
  expect(await probePid(() => Promise.resolve(undefined))).toEqual({
    missing: 'neither bubblewrap nor the unshare and setpriv of util-linux are installed',
  });
});

test('says why what is there does not work', async () => {
  const onlyBrokenBubblewrap = (name: string) =>
    name === 'bwrap' || name === 'true' ? which('false') : Promise.resolve(undefined);
  const found = await probePid(onlyBrokenBubblewrap);
  expect(found).toMatchObject({ missing: expect.stringContaining('bubblewrap does not work here') });
});

function mechanismOf(probed: Walls | { readonly missing: string }): string {
  return 'missing' in probed ? 'missing' : probed.mechanism;
}
