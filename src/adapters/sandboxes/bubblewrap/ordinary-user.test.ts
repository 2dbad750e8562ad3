import { ordinaryUserContract } from '../../../testing/ordinary-user-contract.ts';

const tests = ['bubblewrap-sandbox.test.ts', 'kernel.test.ts', 'bridge', 'toolchains.test.ts'];

ordinaryUserContract(
  tests.map((name) => `src/adapters/sandboxes/bubblewrap/${name}`),
  { timeoutMs: 240_000 },
);
