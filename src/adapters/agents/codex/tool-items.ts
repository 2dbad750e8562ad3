import type { AgentEvent } from '../../../ports/agent.ts';
import type { CodexItem } from './events.ts';

/** Turns items into events. Some kinds of tool are told only when they are done: those get their start then. */
export class ToolItems {
  readonly #started = new Set<string>();

  started(item: CodexItem): AgentEvent[] {
    const tool = toolOf(item);
    if (tool === undefined) return [];
    this.#started.add(item.id);
    return [{ kind: 'tool-started', call: item.id, name: tool.name, input: tool.input }];
  }

  completed(item: CodexItem): AgentEvent[] {
    if (item.type === 'agent_message') return [{ kind: 'text', text: item.text }];
    if (item.type === 'error') return [{ kind: 'warning', text: item.message }];
    const tool = toolOf(item);
    if (tool === undefined) return [];
    const start = this.#started.has(item.id) ? [] : this.started(item);
    return [...start, { kind: 'tool-ended', call: item.id, name: tool.name, output: tool.output, ok: tool.ok }];
  }
}

interface Tool {
  readonly name: string;
  readonly input: string;
  readonly output: string;
  readonly ok: boolean;
}

function toolOf(item: CodexItem): Tool | undefined {
  switch (item.type) {
    case 'command_execution':
      return { name: 'command', input: item.command, output: item.aggregated_output, ok: item.exit_code === 0 };
    case 'file_change':
      return {
        name: 'edit',
        input: item.changes.map(({ path }) => path).join('\n'),
        output: item.status,
        ok: item.status === 'completed',
      };
    case 'mcp_tool_call':
      return {
        name: `${item.server}.${item.tool}`,
        input: written(item.arguments),
        output: written(item.error ?? item.result),
        ok: item.status === 'completed',
      };
    case 'web_search':
      return { name: 'web search', input: item.query, output: '', ok: true };
    case 'agent_message':
    case 'error':
      break;
  }
  return undefined;
}

function written(value: unknown): string {
  return value === undefined || value === null ? '' : JSON.stringify(value);
}
