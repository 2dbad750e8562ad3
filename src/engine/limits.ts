import type { BlueprintNode } from '../domain/blueprint.ts';
import type { Limits } from '../domain/limits.ts';
import { mergeLimits } from '../domain/limits.ts';
import { formatDuration } from '../domain/units.ts';
import type { Bound, StepLimits } from '../ports/node.ts';
import type { RunRow } from '../store/rows.ts';

/** What holds where nobody says anything: the same as the configuration's own figures. */
const SILENCE_MS = 15 * 60_000;
const WALL_MS = 2 * 60 * 60_000;
const TURNS = 60;

/** The limits of a run as they stand now: what it started with, and what retries have added. */
export function limitsOf(run: RunRow): Limits {
  const limits: Limits = { ...run.settings.limits };
  for (const [name, extra] of Object.entries(run.granted) as [keyof Limits, number][]) limits[name] = (limits[name] ?? 0) + extra;
  return limits;
}

/** What a step of this node may still use. A node's own limits only tighten those of the run. */
export function stepLimits(run: RunRow, node: BlueprintNode | undefined): StepLimits & { readonly stepWallMs: number | undefined } {
  const limits = limitsOf(run);
  const own = mergeLimits({ machine: limits, node: node?.limits }).limits;
  const { usage, turns, wall } = run.consumed;
  const bound = (used: number, max: number | undefined): Bound | undefined => (max === undefined ? undefined : { used, max });
  return {
    silenceMs: own.silence ?? SILENCE_MS,
    wallMs: Math.max(0, (limits.wall ?? WALL_MS) - wall),
    stepWallMs: node?.limits?.wall,
    turns: { used: turns, max: limits.turns ?? TURNS },
    tokens: bound(usage.input + usage.output, limits.tokens),
    cost: bound(usage.cost ?? 0, limits.cost),
  };
}

export function wallText(run: RunRow): string {
  return `The run has worked for ${formatDuration(limitsOf(run).wall ?? WALL_MS)}, which is its limit (wall).`;
}

/** Each limit in force with what has been used of it, for `show`. */
export function limitsInUse(run: RunRow, steps: { used: number; allowed: number }): Record<string, { used: number; max: number }> {
  const limits = limitsOf(run);
  const { usage, turns, wall } = run.consumed;
  const used: Record<keyof Limits, number> = {
    wall,
    silence: 0,
    turns,
    steps: steps.used,
    cost: usage.cost ?? 0,
    tokens: usage.input + usage.output,
  };
  const max = { ...limits, steps: steps.allowed };
  return Object.fromEntries((Object.keys(max) as (keyof Limits)[]).map((name) => [name, { used: used[name], max: max[name] ?? 0 }]));
}
