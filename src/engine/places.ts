import type { FleetLimits } from './engine.ts';

/** A step that could be worked on, or is. */
export interface Candidate {
  readonly id: string;
  readonly repository: string;
  readonly requester: string;
  readonly provider: string | null;
  /** What it has to itself in its repository while it works. */
  readonly holds: string | null;
  readonly agentic: boolean;
  readonly priority: number;
  /** Since its run began to wait or to work without a pause for a person. */
  readonly waitingMs: number;
}

/** What leaves no place for a step: a limit, or another step of the repository that holds the same. */
export type Lack = 'others' | 'agents' | 'perRepository' | 'perProvider' | 'perPerson' | 'holds';

/** Every ten minutes of waiting weigh as much as one point of priority. */
export const AGEING_MS = 10 * 60_000;

/**
 * Which of the waiting steps fit beside the active ones: by priority, which grows with waiting; among equals the person who has the
 * fewest at work, then the repository that has; then the run that has waited and worked the longest, so that what was begun is ended
 * before more is begun. Pure.
 */
export function choose<Step extends Candidate>(
  waiting: readonly Step[],
  active: readonly Candidate[],
  limits: FleetLimits,
): Step[] {
  const places = new Places(active, limits);
  const left = new Set(waiting);
  const chosen: Step[] = [];
  for (;;) {
    let best: Step | undefined;
    for (const step of left) {
      // What does not fit now will not fit later either: places are only taken here.
      if (places.lacking(step) !== undefined) left.delete(step);
      else if (best === undefined || before(step, best, places)) best = step;
    }
    if (best === undefined) return chosen;
    left.delete(best);
    places.take(best);
    chosen.push(best);
  }
}

/** What keeps a step waiting: the limit, of which `max` is the figure and `name` the key where it has several, and who has the places. */
export interface Blocked<Step extends Candidate> {
  readonly lack: Lack;
  readonly name?: string;
  readonly max: number;
  readonly by: readonly Step[];
}

/** Undefined when nothing keeps it. */
export function blockedBy<Step extends Candidate>(
  step: Candidate,
  working: readonly Step[],
  limits: FleetLimits,
): Blocked<Step> | undefined {
  const lacking = new Places(working, limits).lacking(step);
  if (lacking === undefined) return undefined;
  const { kind: lack } = lacking;
  const agents = working.filter((one) => one.agentic);
  const here = (one: Step) => one.repository === step.repository;
  switch (lack) {
    case 'others':
      return { lack, max: limits.others, by: working.filter((one) => !one.agentic) };
    case 'agents':
      return { lack, max: limits.agents, by: agents };
    case 'perRepository':
      return { lack, max: limits.perRepository, by: agents.filter(here) };
    case 'perProvider': {
      const { name } = lacking;
      const by = agents.filter((one) => providersOf(one, limits).includes(name));
      return { lack, name, max: limits.perProvider[name] ?? 0, by };
    }
    case 'perPerson':
      return { lack, max: limits.perPerson ?? 0, by: agents.filter((one) => one.requester === step.requester) };
    case 'holds':
      return { lack, max: 1, by: working.filter((one) => here(one) && one.holds === step.holds) };
  }
}

/** How many more steps with and without an agent could be at work, whatever the other limits say. */
export function freePlaces(active: readonly Candidate[], limits: FleetLimits): { agents: number; others: number } {
  const agents = active.filter((step) => step.agentic).length;
  return { agents: Math.max(0, limits.agents - agents), others: Math.max(0, limits.others - (active.length - agents)) };
}

function before(a: Candidate, b: Candidate, places: Places): boolean {
  const urgency = (step: Candidate) => step.priority + Math.floor(step.waitingMs / AGEING_MS);
  const order =
    urgency(b) - urgency(a) ||
    places.busyFor(a.requester) - places.busyFor(b.requester) ||
    places.busyIn(a.repository) - places.busyIn(b.repository) ||
    b.waitingMs - a.waitingMs;
  return order < 0;
}

/** The names of limits.perProvider under which the step counts. */
function providersOf({ provider }: Candidate, { perProvider, providers }: FleetLimits): string[] {
  if (provider === null) return [];
  const names = providers !== undefined && Object.hasOwn(providers, provider) ? providers[provider] : undefined;
  return (names ?? [provider]).filter((name) => Object.hasOwn(perProvider, name));
}

type Lacking =
  | { readonly kind: Exclude<Lack, 'perProvider'> }
  | { readonly kind: 'perProvider'; readonly name: string };

/** How many are at work, by everything that a limit counts. */
class Places {
  readonly #limits: FleetLimits;
  readonly #counts = new Map<string, number>();

  constructor(working: readonly Candidate[], limits: FleetLimits) {
    this.#limits = limits;
    for (const step of working) this.take(step);
  }

  take(step: Candidate): void {
    this.#add(`busy in ${step.repository}`);
    this.#add(`busy for ${step.requester}`);
    if (step.holds !== null) this.#add(`held in ${step.repository}: ${step.holds}`);
    if (!step.agentic) return this.#add('others');
    this.#add('agents');
    this.#add(`repository ${step.repository}`);
    this.#add(`person ${step.requester}`);
    for (const name of providersOf(step, this.#limits)) this.#add(`provider ${name}`);
  }

  busyIn(repository: string): number {
    return this.#count(`busy in ${repository}`);
  }

  busyFor(requester: string): number {
    return this.#count(`busy for ${requester}`);
  }

  /** The first thing that leaves no place for the step. */
  lacking(step: Candidate): Lacking | undefined {
    const { agents, perRepository, perProvider, perPerson = Infinity, others } = this.#limits;
    if (step.holds !== null && this.#count(`held in ${step.repository}: ${step.holds}`) > 0) return { kind: 'holds' };
    if (!step.agentic) return this.#count('others') >= others ? { kind: 'others' } : undefined;
    if (this.#count('agents') >= agents) return { kind: 'agents' };
    if (this.#count(`repository ${step.repository}`) >= perRepository) return { kind: 'perRepository' };
    const full = providersOf(step, this.#limits).find(
      (name) => this.#count(`provider ${name}`) >= (perProvider[name] ?? Infinity),
    );
    if (full !== undefined) return { kind: 'perProvider', name: full };
    return this.#count(`person ${step.requester}`) >= perPerson ? { kind: 'perPerson' } : undefined;
  }

  #count(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  #add(key: string): void {
    this.#counts.set(key, this.#count(key) + 1);
  }
}
