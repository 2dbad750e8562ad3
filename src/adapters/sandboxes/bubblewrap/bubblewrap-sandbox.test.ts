import { expect, test } from 'vitest';
import { whichOn } from '../../../lib/exec/which.ts';
import { pidRemains } from '../../../ports/sandbox/namespace-name.ts';
import { BARE_ENCLOSURE } from '../../../ports/sandbox.ts';
import { sandboxContract } from '../../../testing/sandbox-contract.ts';
import { probeBubblewrapWalls } from './index.ts';
import { bubblewrapLevel, domainsLevel } from './testing.ts';

const which = whichOn(process.env['PATH']);
const module = new URL('testing.ts', import.meta.url).href;

for (const [name, probed] of [
  ['bubblewrapLevel', await bubblewrapLevel(which)],
  ['domainsLevel', await domainsLevel(which)],
] as const) {
  test(`${name} finds something to test`, (context) => {
    if ('missing' in probed) context.skip(probed.missing);
    expect(probed).toMatchObject({ mechanism: 'bubblewrap', boundsNetwork: true });
  });
  if ('missing' in probed) continue;
  sandboxContract({
    title: `level ${probed.level}`,
    make: () => Promise.resolve(probed.enclose(BARE_ENCLOSURE)),
    walls: { module, export: name, remains: pidRemains },
    encloses: probed,
  });
}

test('says what is missing where bubblewrap is not installed', async () => {
  const none = () => Promise.resolve(undefined);
  expect(await probeBubblewrapWalls(none, { level: 'bubblewrap' })).toEqual({ missing: 'bubblewrap is not installed' });
});

test('a bubblewrap that does not work is not believed', async () => {
  const broken = (name: string) => which(name === 'bwrap' ? 'false' : name);
  expect(await probeBubblewrapWalls(broken, { level: 'bubblewrap' })).toEqual({
    missing: expect.stringContaining('bubblewrap does not work here'),
  });
});
