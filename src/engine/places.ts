import type { FleetLimits } from './engine.ts';

/** A step that could be worked on, or is. */
export interface Candidate {
  readonly id: string;
  readonly repository: string;
  readonly provider: string | null;
  readonly agentic: boolean;
  readonly priority: number;
  readonly waitingMs: number;
}

/** Every ten minutes of waiting weigh as much as one point of priority. */
const AGEING_MS = 10 * 60_000;

/**
 * Which of the waiting steps fit beside the active ones: by priority, which grows with waiting; among equals the repository that has
 * the fewest at work; then the longest waiting. Pure.
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

/** The limit that keeps a step waiting, in words; undefined when none does. */
export function blockedBy(step: Candidate, working: readonly Candidate[], limits: FleetLimits): string | undefined {
  switch (new Places(working, limits).lacking(step)) {
    case undefined:
      return undefined;
    case 'others':
      return `${limits.others} checks and commands are at work, which is the limit`;
    case 'agents':
      return `${limits.agents} agents are at work, which is the limit (limits.agents)`;
    case 'perRepository':
      return `${limits.perRepository} agents are at work in this repository, which is the limit (limits.perRepository)`;
    case 'perProvider':
      return `${limits.perProvider[step.provider ?? ''] ?? 0} agents of ${step.provider} are at work, which is the limit (limits.perProvider)`;
  }
}

/** How many more steps with and without an agent could be at work, whatever the other limits say. */
export function freePlaces(active: readonly Candidate[], limits: FleetLimits): { agents: number; others: number } {
  const agents = active.filter((step) => step.agentic).length;
  return { agents: Math.max(0, limits.agents - agents), others: Math.max(0, limits.others - (active.length - agents)) };
}

function before(a: Candidate, b: Candidate, places: Places): boolean {
  const urgency = (step: Candidate) => step.priority + Math.floor(step.waitingMs / AGEING_MS);
  if (urgency(a) !== urgency(b)) return urgency(a) > urgency(b);
  const [busyA, busyB] = [places.busy(a.repository), places.busy(b.repository)];
  if (busyA !== busyB) return busyA < busyB;
  return a.waitingMs > b.waitingMs;
}

/** How many are at work, by everything that a limit counts. */
class Places {
  readonly #limits: FleetLimits;
  readonly #counts = new Map<string, number>();

  constructor(working: readonly Candidate[], limits: FleetLimits) {
    this.#limits = limits;
    for (const step of working) this.take(step);
  }

  take(step: Candidate): void {
    this.#add(`busy ${step.repository}`);
    if (!step.agentic) return this.#add('others');
    this.#add('agents');
    this.#add(`repository ${step.repository}`);
    if (step.provider !== null) this.#add(`provider ${step.provider}`);
  }

  busy(repository: string): number {
    return this.#count(`busy ${repository}`);
  }

  /** The first limit that leaves no place for the step. */
  lacking({ agentic, repository, provider }: Candidate): keyof FleetLimits | undefined {
    const { agents, perRepository, perProvider, others } = this.#limits;
    if (!agentic) return this.#count('others') >= others ? 'others' : undefined;
    if (this.#count('agents') >= agents) return 'agents';
    if (this.#count(`repository ${repository}`) >= perRepository) return 'perRepository';
    const most = provider !== null && Object.hasOwn(perProvider, provider) ? perProvider[provider] : undefined;
    if (most !== undefined && this.#count(`provider ${provider}`) >= most) return 'perProvider';
    return undefined;
  }

  #count(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  #add(key: string): void {
    this.#counts.set(key, this.#count(key) + 1);
  }
}
