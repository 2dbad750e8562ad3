import type { Attack } from './attack.ts';
import { claimAttacks } from './claims.ts';
import { fileAttacks } from './files.ts';
import { gitTraps } from './git-traps.ts';
import { kernelAttacks } from './kernel.ts';
import { linkAttacks } from './links.ts';
import { nameAttacks } from './names.ts';
import { networkAttacks } from './network.ts';
import { processAttacks } from './processes.ts';
import { resourceAttacks } from './resources.ts';
import { terminalAttacks } from './terminal.ts';
import { waysOutAttacks } from './ways-out.ts';

export const attacks: readonly Attack[] = [
  ...processAttacks,
  ...kernelAttacks,
  ...fileAttacks,
  ...gitTraps,
  ...linkAttacks,
  ...nameAttacks,
  ...networkAttacks,
  ...waysOutAttacks,
  ...terminalAttacks,
  ...resourceAttacks,
  ...claimAttacks,
];
