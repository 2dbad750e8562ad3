import { workspaceContract } from '../../../testing/workspace-contract.ts';
import { createCheckoutProvider } from './index.ts';

workspaceContract({ title: 'checkout', make: () => Promise.resolve(createCheckoutProvider()) });
