import { workspaceContract } from '../../../testing/workspace-contract.ts';
import { overlayCandidate } from './index.ts';

workspaceContract({ title: 'overlay', candidate: overlayCandidate });
