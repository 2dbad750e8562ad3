import { describe, expect, test } from 'vitest';
import { whichOn } from '../../../../lib/exec/which.ts';
import { enclosedNetworkCases } from '../../../../testing/sandbox-contract/enclosed-network.ts';
import { bubblewrapLevel, withoutPerl } from '../testing.ts';

// The contract runs with the bridge that this host prefers; here the other one passes the same cases.
const which = whichOn(process.env['PATH']);
const preferred = await bubblewrapLevel(which);
const probed = await withoutPerl(which);

test('without Perl the bridge is Node’s, and that is said', (context) => {
  if ('missing' in probed) context.skip(probed.missing);
  if ('missing' in probed || 'missing' in preferred) return;
  expect(probed.warnings.join(' ')).toContain('Without Perl');
});

if (!('missing' in probed))
  describe('with Node’s bridge', () => {
    enclosedNetworkCases(probed);
  });
