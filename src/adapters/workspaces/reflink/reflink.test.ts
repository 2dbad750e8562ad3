import { imageDisk } from '../../../testing/small-disk.ts';
import { workspaceContract } from '../../../testing/workspace-contract.ts';
import { reflinkCandidate } from './index.ts';

for (const type of ['xfs', 'btrfs'] as const)
  workspaceContract({ title: `reflink on ${type}`, candidate: reflinkCandidate, disk: () => imageDisk(type) });
