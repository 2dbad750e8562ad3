import type { Which } from '../../../lib/exec/which.ts';
import { probeBubblewrapWalls } from './index.ts';

// What the contract's second process finds by name.

export const bubblewrapLevel = (which: Which) => probeBubblewrapWalls(which, { level: 'bubblewrap' });
export const domainsLevel = (which: Which) => probeBubblewrapWalls(which, { level: 'domains' });

/** With the bridge that takes Perl's place. */
export const withoutPerl = (which: Which) => {
  const perlless: Which = (name) => (/(^|\/)perl$/.test(name) ? Promise.resolve(undefined) : which(name));
  return probeBubblewrapWalls(perlless, { level: 'bubblewrap' });
};
