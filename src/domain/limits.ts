import { z } from 'zod';
import { Count, Dollars, Duration } from './units.ts';

/**
 * The bounds of a run: wall time and silence in milliseconds, agent turns, steps, cost in US dollars, tokens, and how often an agent may do
 * the same with the same result. One that is absent does not bound. This is the form that is stored and compared; `WrittenLimits` is the one that people write.
 */
export const Limits = z.object({
  wall: z.int().positive().optional(),
  silence: z.int().positive().optional(),
  turns: z.int().positive().optional(),
  steps: z.int().positive().optional(),
  cost: z.number().positive().optional(),
  tokens: z.int().positive().optional(),
  repeats: z.int().min(3).optional(),
});
export type Limits = z.infer<typeof Limits>;
export type LimitName = keyof Limits;

/** Limits as they stand in YAML: `{ wall: 2h, silence: 15m, turns: 60, steps: 40, cost: 5 USD, tokens: 3M, repeats: 5 }`. Decodes to `Limits`. */
export const WrittenLimits = z
  .strictObject({
    wall: Duration.optional(),
    silence: Duration.optional(),
    turns: Count.optional(),
    steps: Count.optional(),
    cost: Dollars.optional(),
    tokens: Count.optional(),
    repeats: Count.refine((count) => count >= 3, 'must be 3 or more: twice is no loop').optional(),
  })
  .describe('Bounds of a run: wall, silence, turns, steps, cost, tokens, repeats');

export const LIMIT_NAMES: readonly LimitName[] = Limits.keyof().options;

/**
 * Where limits stand, from the most general to the most specific. `builtIn` is what holds when nobody says anything and may be
 * exceeded by all; `machine` is the owner's word and only `flag`, given for one run by hand, may exceed it.
 */
const LEVELS = ['builtIn', 'machine', 'repository', 'blueprint', 'node', 'flag'] as const;
export type LimitLevel = (typeof LEVELS)[number];

/** A value that was asked for at a committed level and held down to the machine's. */
export interface HeldLimit {
  readonly limit: LimitName;
  readonly level: LimitLevel;
  readonly asked: number;
  readonly held: number;
}

/** The most specific value of each limit, and which of them had to be held down. */
export function mergeLimits(levels: { readonly [level in LimitLevel]?: Limits | undefined }): {
  limits: Limits;
  held: HeldLimit[];
} {
  const limits: Limits = {};
  const held: HeldLimit[] = [];
  for (const limit of LIMIT_NAMES) {
    const level = LEVELS.findLast((candidate) => levels[candidate]?.[limit] !== undefined);
    if (level === undefined) continue;
    const asked = levels[level]?.[limit] ?? 0;
    const most = level === 'flag' ? undefined : levels.machine?.[limit];
    limits[limit] = most === undefined ? asked : Math.min(asked, most);
    if (limits[limit] < asked) held.push({ limit, level, asked, held: limits[limit] });
  }
  return { limits, held };
}

/** Reads one `--limit silence=30s`. `message` says what is wrong and what would be right. */
export function parseLimitFlag(text: string): { ok: true; limits: Limits } | { ok: false; message: string } {
  const [name = '', ...rest] = text.split('=');
  if (!LIMIT_NAMES.some((known) => known === name)) {
    return { ok: false, message: `unknown limit "${name}": known are ${LIMIT_NAMES.join(', ')}` };
  }
  const read = WrittenLimits.safeDecode({ [name]: rest.join('=') });
  if (read.success) return { ok: true, limits: read.data };
  return { ok: false, message: `${name}: ${deepestMessage(read.error.issues)}` };
}

/** Within a union the last alternative is the one for text, which is what a flag always is. */
function deepestMessage(issues: readonly z.core.$ZodIssue[]): string {
  const issue = issues[0];
  const inner = issue?.code === 'invalid_union' ? issue.errors.at(-1) : undefined;
  return inner === undefined ? (issue?.message ?? 'not a limit') : deepestMessage(inner);
}
