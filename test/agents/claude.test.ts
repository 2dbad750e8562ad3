import { claudeAgent } from '../../src/adapters/agents/claude/index.ts';
import { modelAgent } from '../../src/testing/agent-contract/model-agent.ts';
import { agentContract } from '../../src/testing/agent-contract.ts';
import { bestSandbox, installed, versionOf } from './host.ts';

// The real Claude Code, with a model that answers as each case says.
agentContract({
  title: `claude ${await versionOf('@anthropic-ai/claude-code')}`,
  adapter: claudeAgent,
  sandbox: await bestSandbox(),
  prepare: modelAgent({
    entry: { kind: 'claude', model: 'claude-opus-5-5' },
    api: 'anthropic',
    path: installed,
    run: (command) => ({ tool: 'Bash', input: { command, description: 'as the case says' } }),
    write: (path, content) => ({ tool: 'Write', input: { file_path: path, content } }),
  }),
  lacks: {},
});
