import { workspaceContract } from '../../../testing/workspace-contract.ts';
import { copyCandidate } from './index.ts';

workspaceContract({ title: 'copy', candidate: copyCandidate });
