import { posix } from 'node:path';
import { codexAgent } from '../../src/adapters/agents/codex/index.ts';
import { modelAgent } from '../../src/testing/agent-contract/model-agent.ts';
import { agentContract } from '../../src/testing/agent-contract.ts';
import { bestSandbox, installed, versionOf } from './host.ts';

// The real Codex CLI, with a model that answers as each case says.
agentContract({
  title: `codex ${await versionOf('@openai/codex')}`,
  adapter: codexAgent,
  sandbox: await bestSandbox(),
  prepare: modelAgent({
    entry: { kind: 'codex', model: 'scripted' },
    api: 'responses',
    path: installed,
    run: (cmd) => ({ tool: 'exec_command', input: { cmd } }),
    write: (path, text) => {
      const content = Buffer.from(text).toString('base64');
      const cmd = `mkdir -p ${posix.dirname(path)} && echo ${content} | base64 -d > ${path}`;
      return { tool: 'exec_command', input: { cmd } };
    },
  }),
  lacks: {},
});
