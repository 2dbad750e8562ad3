import type { Event } from '../../domain/event.ts';
import { addUsage, NO_USAGE, type Usage } from '../../domain/run.ts';
import { printable, printableLine } from '../../lib/printable.ts';
import { shortUsage, wholeSeconds } from './amount.ts';
import { fit, widthOf } from './width.ts';

/** What goes on in a run at this moment, gathered from its events in their order. */
export interface Activity {
  add(event: Event): void;
  /** One line on the step and what it is doing, one on the run as a whole; the least important is left out where there is no room. */
  lines(view: { readonly now: number; readonly columns: number; readonly leaving: string }): string[];
}

/** A tool that takes longer than this is told with its time. */
const LONG_TOOL_MS = 5_000;

export function trackActivity(): Activity {
  let began: number | undefined;
  let usage: Usage = NO_USAGE;
  let turns = 0;
  let step: Step | undefined;
  let steps = 0;
  return {
    add(event) {
      began ??= Date.parse(event.at);
      if (event.kind === 'step.started') step = stepOf(event);
      if (event.kind === 'agent.usage') usage = addUsage(usage, event.usage);
      if (event.kind === 'agent.tool' && event.phase === 'started') turns += 1;
      if (event.kind === 'step.ended') {
        if (step?.isAgent === true) turns += 1;
        steps += 1;
        step = undefined;
      }
      if (step !== undefined) follow(step, event);
    },
    lines({ now, columns, leaving }) {
      const turn = step?.isAgent === true ? turns + 1 : turns;
      const facts = [
        began === undefined ? '' : `run ${wholeSeconds(now - began)}`,
        turn === 0 ? '' : `turn ${turn}`,
        shortUsage(usage),
        leaving,
      ];
      const between = steps === 0 ? '▸ waiting for a place' : '▸ on to the next step';
      return [step === undefined ? between : stepLine(step, now, columns), joined(facts, columns - 1)];
    },
  };
}

interface Step {
  readonly name: string;
  readonly isAgent: boolean;
  readonly since: number;
  /** Tools that have begun and not ended, oldest first. */
  readonly tools: Map<string, { readonly text: string; readonly since: number }>;
  doing: string;
}

function stepOf(event: Extract<Event, { kind: 'step.started' }>): Step {
  const name = event.n === 1 ? event.node : `${event.node} #${event.n}`;
  return {
    name: printableLine(name),
    isAgent: event.nodeKind === 'agent',
    since: Date.parse(event.at),
    tools: new Map(),
    doing: event.nodeKind === 'agent' ? 'thinking' : '',
  };
}

function follow(step: Step, event: Event): void {
  if (event.kind === 'agent.text') step.doing = lastLine(event.text) ?? step.doing;
  if (event.kind === 'check.ended') step.doing = `${printableLine(event.check)}: ${event.verdict}`;
  if (event.kind !== 'agent.tool') return;
  if (event.phase === 'ended') step.tools.delete(event.call);
  else {
    step.doing = `→ ${printableLine(`${event.name} ${event.input ?? ''}`)}`;
    step.tools.set(event.call, { text: step.doing, since: Date.parse(event.at) });
  }
}

function stepLine(step: Step, now: number, columns: number): string {
  const head = `▸ ${step.name}  ${wholeSeconds(now - step.since)}`;
  const tool = Array.from(step.tools.values()).at(-1);
  if (tool === undefined) return step.doing === '' ? head : `${head}  ${step.doing}`;
  const others = step.tools.size > 1 ? ` (and ${step.tools.size - 1} more)` : '';
  const long = now - tool.since < LONG_TOOL_MS ? '' : ` (${wholeSeconds(now - tool.since)})`;
  const tail = long + others;
  return `${head}  ${fit(tool.text, Math.max(8, columns - 1 - widthOf(`${head}  ${tail}`)))}${tail}`;
}

function lastLine(text: string): string | undefined {
  const line = printable(text).trim().split('\n').at(-1);
  return line === undefined || line === '' ? undefined : printableLine(line);
}

/** Joined with dots; parts are left out from the end until it fits. */
function joined(parts: readonly string[], columns: number): string {
  const kept = parts.filter((part) => part !== '');
  while (kept.length > 1 && widthOf(`  ${kept.join(' · ')}`) > columns) kept.pop();
  return `  ${kept.join(' · ')}`;
}
