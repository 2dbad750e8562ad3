import { piAgent } from '../../src/adapters/agents/pi/index.ts';
import { modelAgent } from '../../src/testing/agent-contract/model-agent.ts';
import { agentContract } from '../../src/testing/agent-contract.ts';
import { bestSandbox, installed, versionOf } from './host.ts';

// The real pi, with a model that answers as each case says.
agentContract({
  title: `pi ${await versionOf('@earendil-works/pi-coding-agent')}`,
  adapter: piAgent,
  sandbox: await bestSandbox(),
  prepare: modelAgent({
    entry: { kind: 'pi', model: 'scripted' },
    api: 'chat',
    path: installed,
    run: (command) => ({ tool: 'bash', input: { command } }),
    write: (path, content) => ({ tool: 'write', input: { path, content } }),
  }),
  lacks: {},
});
