import type { BlueprintNode } from '../domain/blueprint.ts';
import type { Limits } from '../domain/limits.ts';
import { formatDuration } from '../domain/units.ts';
import type { Bound, StepLimits } from '../ports/node.ts';
import type { RunRow } from '../store/rows.ts';

/** What holds where nobody says anything: the same as the configuration's own figures. */
const DEFAULTS = { silence: 15 * 60_000, wall: 2 * 60 * 60_000, turns: 60, repeats: 5 } as const;

/** What a run's limits are looked up in. */
type Limited = Pick<RunRow, 'settings' | 'granted' | 'consumed'>;

/** The limits of a run as they stand now: what it started with, and what retries have added. */
export function limitsOf(run: Limited): Limits & Record<keyof typeof DEFAULTS, number> {
  const limits = startingLimits(run);
  for (const [name, extra] of Object.entries(run.granted) as [keyof Limits, number][]) {
    limits[name] = (limits[name] ?? 0) + extra;
  }
  return limits;
}

function startingLimits({ settings: { limits } }: Limited): Limits & Record<keyof typeof DEFAULTS, number> {
  const {
    wall = DEFAULTS.wall,
    silence = DEFAULTS.silence,
    turns = DEFAULTS.turns,
    repeats = DEFAULTS.repeats,
  } = limits;
  return { ...limits, wall, silence, turns, repeats };
}

/**
 * What a person's wish to go on adds: the bound that was hit, and any other that is used up, gets its original amount again. Silence is
 * no amount that is used up, and a run's steps and a node's `max` are counted by the blueprint's own state.
 */
export function grantAgain(run: Limited, code: string | undefined): Limits {
  const hit = /^limit\/(\w+)$/.exec(code ?? '')?.[1];
  const { usage, turns, wall } = run.consumed;
  const used = { wall, turns, tokens: usage.input + usage.output, cost: usage.cost ?? 0 };
  const limits = limitsOf(run);
  const granted = { ...run.granted };
  for (const [name, amount] of Object.entries(used) as [keyof typeof used, number][]) {
    const max = limits[name];
    if (max === undefined || (name !== hit && amount < max)) continue;
    granted[name] = (granted[name] ?? 0) + (startingLimits(run)[name] ?? 0);
  }
  return granted;
}

/**
 * What a step of this node may still use. A node's own limits only tighten those of the run: `silence` and `repeats` as they are, `wall` by ending the
 * step, the others by what this one step may use of them.
 */
export function stepLimits(
  run: Limited,
  node: BlueprintNode | undefined,
): StepLimits & { readonly stepWallMs: number | undefined } {
  const limits = limitsOf(run);
  const own = node?.limits ?? {};
  const { usage, turns, wall } = run.consumed;
  return {
    silenceMs: Math.min(limits.silence, own.silence ?? Infinity),
    wallMs: Math.max(0, limits.wall - wall),
    stepWallMs: own.wall,
    repeats: Math.min(limits.repeats, own.repeats ?? Infinity),
    turns: bound(turns, limits.turns, own.turns) ?? { used: turns, max: limits.turns },
    tokens: bound(usage.input + usage.output, limits.tokens, own.tokens),
    cost: bound(usage.cost ?? 0, limits.cost, own.cost),
  };
}

function bound(used: number, ofRun: number | undefined, ofStep: number | undefined): Bound | undefined {
  const max = Math.min(ofRun ?? Infinity, used + (ofStep ?? Infinity));
  return max === Infinity ? undefined : { used, max };
}

export function wallText(run: Limited): string {
  return `The run has worked for ${formatDuration(limitsOf(run).wall)}, which is its limit (wall).`;
}

/** Each limit in force with what has been used of it, for `show`. */
export function limitsInUse(
  run: Limited,
  steps: { used: number; allowed: number },
): Record<string, { used: number; max: number }> {
  const { usage, turns, wall } = run.consumed;
  const max: Limits = { ...limitsOf(run), steps: steps.allowed };
  const used: Record<keyof Limits, number> = {
    wall,
    silence: 0,
    turns,
    steps: steps.used,
    cost: usage.cost ?? 0,
    tokens: usage.input + usage.output,
    repeats: 0,
  };
  return Object.fromEntries(
    (Object.entries(max) as [keyof Limits, number][]).map(([name, most]) => [name, { used: used[name], max: most }]),
  );
}
