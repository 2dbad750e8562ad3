import { claudeAgent } from '../adapters/agents/claude/index.ts';
import { codexAgent } from '../adapters/agents/codex/index.ts';
import { customAgent } from '../adapters/agents/custom/index.ts';
import { piAgent } from '../adapters/agents/pi/index.ts';
import { scriptedAgent } from '../adapters/agents/scripted/index.ts';
import type { AgentAdapter } from '../ports/agent.ts';

/** Every agent that this version can drive, by the kind that the machine's configuration names. */
export const agentAdapters: ReadonlyMap<string, AgentAdapter> = new Map(
  [claudeAgent, codexAgent, piAgent, customAgent, scriptedAgent].map((adapter) => [adapter.kind, adapter]),
);
