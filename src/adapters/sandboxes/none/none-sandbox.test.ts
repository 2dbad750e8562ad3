import { expect, test } from 'vitest';
import { sandboxContract } from '../../../testing/sandbox-contract.ts';
import { noneSandbox } from './index.ts';

sandboxContract({ title: 'level none', make: () => Promise.resolve(noneSandbox) });

test('says loudly that processes can survive', () => {
  expect(noneSandbox.warnings.join(' ')).toContain('survive');
});
