import { AgentEntry } from '../../domain/agent-entry.ts';
import type { Act, AgentUnderTest } from '../agent-contract.ts';
import { type ModelReply, type ModelRequest, startModelServer, toolsUsed } from '../model-server.ts';

export interface ModelAgent {
  /** Without its endpoint. */
  readonly entry: { readonly kind: AgentEntry['kind']; readonly model: string } & Partial<AgentEntry>;
  readonly api: NonNullable<AgentEntry['endpoint']>['api'];
  /** The PATH on which the agent's program is found. */
  readonly path: string;
  /** How a model has the agent run a command, and write a file. */
  readonly run: (command: string) => ToolCall;
  readonly write: (path: string, text: string) => ToolCall;
}

type ToolCall = Extract<ModelReply, { tool: string }>;

/** Prepares a real agent whose model, on loopback, has it do what a case says. */
export function modelAgent(agent: ModelAgent): AgentUnderTest['prepare'] {
  return async (turns) => {
    const { promise: hanging, resolve: hangs } = Promise.withResolvers<void>();
    const left = turns.map((acts) => [...acts]);
    let turn = -1;
    const answer = (request: ModelRequest): ModelReply => {
      const acts = left[turn] ?? [];
      const index = toolsUsed(request);
      const act = acts[index] ?? { say: 'That is all.' };
      if ('hang' in act) hangs();
      if ('once' in act) acts.splice(index, 1);
      return replyOf(act, agent);
    };
    const has = (fault: string) => turns.flat().some((act) => fault in act);
    const server = await startModelServer(answer, { key: KEY, cut: has('cut') });
    const baseUrl = has('refused') ? 'http://127.0.0.1:1/v1' : server.baseUrl;
    return {
      entry: AgentEntry.parse({
        ...agent.entry,
        endpoint: { api: agent.api, baseUrl, key: { env: 'MODEL_KEY' } },
        env: { EXTRA: 'from the entry', ...agent.entry.env },
      }),
      hostEnv: { PATH: agent.path, MODEL_KEY: KEY },
      nextTurn: () => void (turn += 1),
      prompts: async () => promptsIn(server.requests().at(-1)),
      thinking: () => hanging,
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  };
}

const KEY = 'the-key-of-this-test';

function replyOf(act: Act, { api, run, write }: ModelAgent): ModelReply {
  if ('say' in act) return { text: act.say };
  if ('run' in act) return run(act.run);
  if ('write' in act) return write(act.write.path, act.write.text);
  if ('hang' in act) return { hang: true };
  if ('status' in act) return { status: act.status, message: 'the model does not like this' };
  if ('spent' in act) return api === 'anthropic' ? SPENT_AT_ANTHROPIC : SPENT;
  if ('fail' in act) return { status: 400, message: 'the model does not like this' };
  return { text: 'This answer breaks off before its end, whatever else may be in it.' };
}

const SPENT: ModelReply = {
  status: 429,
  message: 'You exceeded your current quota, please check your plan and billing details.',
  code: 'insufficient_quota',
};
const SPENT_AT_ANTHROPIC: ModelReply = {
  status: 400,
  message: 'Your credit balance is too low to access the API. Please go to Plans & Billing to purchase credits.',
};

/** What the person said: agents add messages and passages of their own, in tags. */
function promptsIn(request: ModelRequest | undefined): string[] {
  const asked = request?.messages.filter(({ role }) => role === 'user') ?? [];
  const texts = asked.map(({ text }) => text.replaceAll(/<system-reminder>[^]*?<\/system-reminder>/g, '').trim());
  return texts.filter((text) => text !== '' && !text.startsWith('<'));
}
