import type { Attack } from './attack.ts';
import { claimAttacks } from './claims.ts';
import { fileAttacks } from './files.ts';
import { gatewayAttacks } from './gateway.ts';
import { gatewayElsewhere } from './gateway-elsewhere.ts';
import { gatewayLoad } from './gateway-load.ts';
import { gatewaySecrets } from './gateway-secrets.ts';
import { gatewaySpending } from './gateway-spending.ts';
import { gitSettings } from './git-settings.ts';
import { gitTraps } from './git-traps.ts';
import { kernelAttacks } from './kernel.ts';
import { leftBehind } from './left-behind.ts';
import { leftSettings } from './left-settings.ts';
import { linkAttacks } from './links.ts';
import { nameAttacks } from './names.ts';
import { networkAttacks } from './network.ts';
import { processAttacks } from './processes.ts';
import { reportAttacks } from './reports.ts';
import { resourceAttacks } from './resources.ts';
import { sharedObjects } from './shared-objects.ts';
import { terminalAttacks } from './terminal.ts';
import { waysOutAttacks } from './ways-out.ts';

export const attacks: readonly Attack[] = [
  ...processAttacks,
  ...kernelAttacks,
  ...fileAttacks,
  ...sharedObjects,
  ...gitTraps,
  ...gitSettings,
  ...linkAttacks,
  ...leftBehind,
  ...leftSettings,
  ...nameAttacks,
  ...networkAttacks,
  ...waysOutAttacks,
  ...terminalAttacks,
  ...resourceAttacks,
  ...claimAttacks,
  ...reportAttacks,
  ...gatewayAttacks,
  ...gatewayElsewhere,
  ...gatewaySpending,
  ...gatewaySecrets,
  ...gatewayLoad,
];
