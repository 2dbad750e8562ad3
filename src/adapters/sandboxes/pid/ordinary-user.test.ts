import { ordinaryUserContract } from '../../../testing/ordinary-user-contract.ts';

ordinaryUserContract(['src/adapters/sandboxes/pid/pid-sandbox.test.ts'], { timeoutMs: 180_000 });
