import type { AgentFailure, AgentTurn } from './agent.ts';

type FailureClass = AgentFailure['class'];

/** A failure of an agent, with what to do about its class unless there is something better to say. */
export function agentFailure(
  { entry: { kind } }: AgentTurn,
  failureClass: FailureClass,
  message: string,
  hint = HINTS[failureClass](kind),
): AgentFailure {
  return { class: failureClass, message: `${kind}: ${message}`, hint };
}

const HINTS: Record<FailureClass, (kind: string) => string> = {
  auth: (kind) =>
    `The model’s server refused the key or login that config.yaml names for ${kind}: check it, then retry. A variable that was set anew counts after \`switchyard server restart\`.`,
  quota: (kind) => `The account that ${kind} uses has nothing left: retry after its reset, or use another agent.`,
  'rate-limit': () =>
    'The model’s server wants fewer requests: retry later, or lower `limits.perProvider` in config.yaml.',
  network: () => 'The model’s server could not be reached or was overloaded: retry later.',
  refused: () => 'The model declined this request: change the task or use another model.',
  'unknown-session': (kind) => `${kind} does not have this conversation any more: begin a new one.`,
  bug: () => 'Please report this.',
  unknown: (kind) => `The message is ${kind}’s own.`,
};

/** What to look at when a server does not know the address or the model. The turn's own address may be a gateway's. */
export function wrongAddressHint({ entry }: AgentTurn): string {
  const address = entry.endpoint === undefined ? '' : 'the address (`endpoint.baseUrl`) and ';
  return `Check ${address}the agent’s \`model\` in config.yaml.`;
}

/** What an error status of a model's server means; undefined for one that says nothing by itself. */
export function classOfStatus(status: number): FailureClass | undefined {
  if (status === 401 || status === 403) return 'auth';
  if (status === 402) return 'quota';
  if (status === 429) return 'rate-limit';
  return status >= 500 ? 'network' : undefined;
}
