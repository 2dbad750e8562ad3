import { messageOf } from '../../src/lib/error.ts';
import { type Attack, type Canary, isTaken, type Twin } from './attack.ts';
import type { AttackedHosts } from './host-walls.ts';
import { type HostWalls, type Stage, stage } from './stage.ts';

export interface Played {
  readonly attack: Attack;
  /** Why it could not be tried here. */
  readonly skipped?: string;
  /** At level `none`, or on somebody who takes no care. */
  readonly open?: Canary;
  readonly walled?: Canary;
  /** Undefined when the twin works, else what went wrong. */
  readonly twin?: string;
}

/** The attack without protection, then on the walls; and its twin there. Each on a stage of its own. */
export async function play(attack: Attack, hosts: AttackedHosts): Promise<Played> {
  if (attack.limit !== undefined && !hosts.walled.programs.enforces.includes(attack.limit))
    return { attack, skipped: `nobody is held to a limit of ${attack.limit} here` };
  const open = await onStage(hosts.open, async (at) => {
    const skipped = await attack.lacks?.(at);
    return skipped === undefined ? { canary: await (attack.careless ?? attack.play)(at) } : { skipped };
  });
  if (open.skipped !== undefined) return { attack, skipped: open.skipped };
  const walled = await onStage(hosts.walled, (at) => attack.play(at));
  const twin = await twinOf(attack.twin, hosts.walled);
  return { attack, open: open.canary, walled, ...(twin === undefined ? {} : { twin }) };
}

/** Twins that attacks have in common are tried once for all of them. */
const twins = new Map<Twin, Promise<string | undefined>>();

async function twinOf(twin: Twin, walls: HostWalls): Promise<string | undefined> {
  const known = twins.get(twin);
  if (known !== undefined) return known;
  const tried = onStage(walls, (at) => twin.works(at)).then(
    () => undefined,
    (error: unknown) => messageOf(error),
  );
  twins.set(twin, tried);
  return tried;
}

/**
 * Whether the attempt is seen to succeed where nothing protects, and to fail where something does, or to succeed there too where that is
 * known.
 */
export function isAsExpected({ attack, skipped, open, walled, twin }: Played): boolean {
  if (skipped !== undefined) return true;
  if (open === undefined || walled === undefined || twin !== undefined) return false;
  return isTaken(open) && isTaken(walled) === (attack.known !== undefined);
}

async function onStage<T>(walls: HostWalls, work: (at: Stage) => Promise<T>): Promise<T> {
  await using at = await stage(walls);
  return await work(at);
}
