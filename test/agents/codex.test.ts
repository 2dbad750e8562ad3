import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { codexAgent } from '../../src/adapters/agents/codex/index.ts';
import { AgentEntry } from '../../src/domain/agent-entry.ts';
import { type Act, agentContract, type PreparedAgent } from '../../src/testing/agent-contract.ts';
import { type ModelReply, type ModelRequest, startModelServer, toolsUsed } from '../../src/testing/model-server.ts';
import { bestSandbox } from './host.ts';

// The real Codex CLI, with a model that answers as each case says.
agentContract({ title: 'codex', adapter: codexAgent, sandbox: await bestSandbox(), prepare, lacks: {} });

async function prepare(turns: readonly (readonly Act[])[]): Promise<PreparedAgent> {
  const { promise: hanging, resolve: hangs } = Promise.withResolvers<void>();
  let turn = -1;
  const server = await startModelServer((request) => {
    const used = toolsUsed(request);
    if (used === 0) turn += 1;
    const act = turns[turn]?.[used] ?? { say: 'That is all.' };
    if ('hang' in act) hangs();
    return replyFor(act);
  });
  return {
    entry: AgentEntry.parse({
      kind: 'codex',
      model: 'scripted',
      endpoint: { api: 'responses', baseUrl: server.baseUrl, key: { env: 'MODEL_KEY' } },
      env: { EXTRA: 'from the entry' },
    }),
    hostEnv: { PATH: `${installed}:${process.env['PATH']}`, MODEL_KEY: 'not-a-secret' },
    prompts: async () => promptsIn(server.requests().at(-1)),
    thinking: () => hanging,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

const installed = fileURLToPath(new URL('../../node_modules/.bin', import.meta.url));

/** The model does everything with one tool, which runs a command. */
function replyFor(act: Act): ModelReply {
  if ('say' in act) return { text: act.say };
  if ('hang' in act) return { hang: true };
  if ('fail' in act) return { status: 400, message: 'the model does not like this' };
  if ('run' in act) return { tool: 'exec_command', input: { cmd: act.run } };
  const { path, text } = act.write;
  const content = Buffer.from(text).toString('base64');
  return {
    tool: 'exec_command',
    input: { cmd: `mkdir -p ${posix.dirname(path)} && echo ${content} | base64 -d > ${path}` },
  };
}

/** What the person said: codex itself adds messages that begin with a tag. */
function promptsIn(request: ModelRequest | undefined): string[] {
  const asked = request?.messages.filter(({ role, text }) => role === 'user' && !text.startsWith('<'));
  return (asked ?? []).map(({ text }) => text);
}
