import type { NodeKind } from '../../ports/node.ts';
import { execute } from './execute.ts';
import { agentDescriptor } from './schema.ts';

/** Agentic work: an objective, full freedom within the sandbox, no prompts. What it did is found out, not believed. */
export const agentNode: NodeKind = { descriptor: agentDescriptor, mode: 'execute', agentic: true, execute };
