import { z } from 'zod';
import { defineNodeKind } from '../../domain/node-kind.ts';

/** How often the agent is told that its checks fail, before somebody else has to look. */
const ROUNDS = 3;

const Names = z.union([z.string(), z.array(z.string()).min(1)]).transform((names) => [names].flat());

export const AgentFields = z.object({
  /** An agent of the machine's configuration, `default`, or `same`: that of the node whose session is resumed. */
  agent: z.string(),
  /** A prompt file; without it the values of `with` make the prompt. */
  prompt: z.string().optional(),
  session: z
    .string()
    .regex(/^(new|resume \S+|fork \S+)$/, 'write new, resume NODE or fork NODE')
    .optional(),
  /** Names of checks, kinds of check, or `all`, which pass before the agent counts as done; `max` rounds of mending, 3 if not given. */
  'done-when': z
    .union([
      Names.transform((checks) => ({ checks, max: ROUNDS })),
      z.strictObject({ checks: Names, max: z.int().min(0).max(20).default(ROUNDS) }),
    ])
    .optional(),
});
export type AgentFields = z.infer<typeof AgentFields>;

export const agentDescriptor = defineNodeKind({
  kind: 'agent',
  fields: AgentFields,
  outcomes: ['done', 'unchanged'],
  outputs: ['summary', 'report'],
  references: ({ agent, prompt, session, 'done-when': doneWhen }) => ({
    agents: [agent],
    checks: doneWhen?.checks ?? [],
    prompts: prompt === undefined ? [] : [prompt],
    peers: session === undefined || session === 'new' ? [] : session.split(' ').slice(1),
  }),
});
