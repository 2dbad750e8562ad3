import { z } from 'zod';
import { defineNodeKind } from '../../domain/node-kind.ts';

export const AgentFields = z.object({
  /** An agent of the machine's configuration, `default`, or `same`: that of the node whose session is resumed. */
  agent: z.string(),
  /** A prompt file; without it the values of `with` make the prompt. */
  prompt: z.string().optional(),
  session: z
    .string()
    .regex(/^(new|resume \S+|fork \S+)$/, 'write new, resume NODE or fork NODE')
    .optional(),
});
export type AgentFields = z.infer<typeof AgentFields>;

export const agentDescriptor = defineNodeKind({
  kind: 'agent',
  fields: AgentFields,
  outcomes: ['done', 'unchanged'],
  outputs: ['summary'],
  references: ({ agent, prompt, session }) => ({
    agents: [agent],
    prompts: prompt === undefined ? [] : [prompt],
    peers: session === undefined || session === 'new' ? [] : session.split(' ').slice(1),
  }),
});
