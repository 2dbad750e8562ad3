import type { Opening } from '../domain/opening.ts';
import { SwitchyardError } from '../lib/error.ts';
import type { RunRow, StepRow } from '../store/rows.ts';
import { lockOpenStep, updateStep } from '../store/steps.ts';
import { command } from './command.ts';
import type { Engine } from './engine.ts';
import { isOpen } from './open-refusal.ts';
import { PARK_CHOICES } from './park-reasons.ts';
import { type OpenRun, park, setState, writeAndAdmit } from './transition.ts';

/** Told the id of a run whose step is to be given up for a person's hands. */
export const HOLD_CHANNEL = 'switchyard_hold';
/** Why a run is parked that a person has open. */
export const OPEN_CODE = 'open';
const ASKED_MS = 20_000;

/** Who asks for a run, and from where. */
export type Asking = Pick<Opening, 'id' | 'by' | 'tool' | 'worker' | 'client'>;

/**
 * Makes a run stand still for a person's hands: one that nobody works on at once, any other as soon as its step has been stopped, as by
 * a shutdown. Meant to be called again and again until the row's opening is `open`; that the same asks again is no change. `inherits` is
 * the opening of somebody who is gone, which is taken over. Refuses with `run/open`, `run/discarded`, `run/cancelling`.
 */
export async function askForRun(
  engine: Engine,
  id: string,
  asking: Asking,
  inherits: string | undefined,
): Promise<RunRow> {
  return command(
    engine,
    id,
    async (run) => {
      refuse(run.row, asking, inherits);
      const before = run.row.opening;
      const opening: Opening = {
        ...asking,
        // What is collected goes by this name, also where somebody died over it.
        id: before?.phase === 'open' ? before.id : asking.id,
        phase: before?.phase ?? 'asked',
        askedAt: engine.clock.now(),
        used: before?.used ?? false,
        namespaces: before?.namespaces ?? [],
        before: before?.before ?? run.row.state,
      };
      run.changes.opening = opening;
      if (opening.phase === 'open') setState(run, openState(run.row, opening));
      else await hold(run, opening);
      await writeAndAdmit(run);
    },
    { whileOpen: true },
  );
}

function refuse({ state, opening, cancelling, slug }: RunRow, asking: Asking, inherits: string | undefined): void {
  if (state.kind === 'discarded') {
    throw new SwitchyardError({
      code: 'run/discarded',
      message: `Run ${slug} is discarded.`,
      hint: `Bring it back first: \`switchyard restore ${slug}\`.`,
    });
  }
  if (cancelling) {
    throw new SwitchyardError({
      code: 'run/cancelling',
      message: `Run ${slug} is being cancelled.`,
      hint: 'Try again when it has stopped.',
    });
  }
  if (opening !== null && opening.id !== asking.id && opening.id !== inherits) throw isOpen({ slug, opening });
}

async function hold(run: OpenRun, opening: Opening): Promise<void> {
  const { row, queries, engine } = run;
  const step = await lockOpenStep(queries, row.id);
  if (step?.state === 'running' && (await isTaken(run, step))) {
    await queries.query('select pg_notify($1, $2)', [HOLD_CHANNEL, row.id]);
    return;
  }
  if (step !== undefined && step.job !== null && step.queue !== null)
    await engine.queue.cancel(queries, { id: step.job, queue: step.queue, step: step.id });
  if (step !== undefined) await keepStep(run, step);
  opened(run, opening, step);
}

/** Whether somebody has the step's job; one that was given back waits for the next worker. */
async function isTaken({ queries }: OpenRun, { job, queue }: StepRow): Promise<boolean> {
  if (job === null) return false;
  const [found] = await queries.query<{ state: string }>(
    'select state from pgboss.job where id = $1 and name = $2 for update',
    [job, queue],
  );
  return found?.state === 'active';
}

/** The step stays as it is, with nobody to work on it, until it is let go. */
async function keepStep({ queries }: OpenRun, step: StepRow): Promise<void> {
  await updateStep(queries, step.id, { state: 'running', job: null, queue: null });
}

function opened(run: OpenRun, opening: Opening, step: StepRow | undefined): void {
  const { row } = run;
  const now: Opening = { ...opening, phase: 'open', before: row.state };
  run.changes.opening = now;
  run.changes.ended_at = null;
  const { reason, needs } = openState(row, now);
  park(run, { reason, needs, node: step?.node ?? null });
}

/**
 * A worker has stopped the step of a run that somebody asks for, and given its job up: true when the run is his now. Part of the
 * transaction in which the attempt ends; false leaves everything to the caller.
 */
export async function holdGivenUp(run: OpenRun, step: StepRow): Promise<boolean> {
  const { row, engine } = run;
  const { opening } = row;
  if (opening?.phase !== 'asked' || isUnheard(opening, engine.clock.now()) || row.cancelling) return false;
  await keepStep(run, step);
  opened(run, opening, step);
  return true;
}

/** Whether whoever asks for a run was not heard of for so long that he does not want it any more. */
export function isUnheard({ phase, askedAt }: Opening, now: number): boolean {
  return phase === 'asked' && now - askedAt > ASKED_MS;
}

/** Forgets whoever asked for the run and is gone. Part of the transaction in which an attempt ends; the caller writes the run. */
export function forgetUnheard({ row, engine, changes }: OpenRun): void {
  if (row.opening !== null && isUnheard(row.opening, engine.clock.now())) changes.opening = null;
}

/** Nobody asks for the run any more; it goes on as it is. Nothing once it is open. */
export async function withdraw(engine: Engine, id: string, opening: string): Promise<void> {
  await command(
    engine,
    id,
    async (run) => {
      if (run.row.opening?.id !== opening || run.row.opening.phase === 'open') return;
      run.changes.opening = null;
      await writeAndAdmit(run);
    },
    { whileOpen: true },
  );
}

/** Whether a step is held: of a kind that executes, begun or not, with nobody to work on it. */
export function isHeld({ kinds }: Engine, step: StepRow): boolean {
  return step.state === 'running' && step.job === null && kinds.get(step.kind)?.mode === 'execute';
}

/** Lets a held step go on, in the next attempt. The run is as it was before it was held. */
export async function letGo(run: OpenRun, step: StepRow, state: 'running' | 'queued' = 'running'): Promise<void> {
  await updateStep(run.queries, step.id, { state: 'waiting' });
  setState(run, { kind: state });
}

function openState(row: Pick<RunRow, 'slug' | 'head' | 'settings'>, opening: Opening) {
  const hasWalls = opening.tool !== 'editor' && row.settings.sandbox !== 'none';
  const message = `${opening.by} has it open (${TOOLS[opening.tool]}, process ${opening.client.pid}). It is handed back when that ends, or${hasWalls ? '' : ' once that is dead'} with: switchyard open ${row.slug} --back`;
  const needs = { kind: 'checkout' as const, choices: [...PARK_CHOICES], head: row.head };
  return { kind: 'parked' as const, reason: { code: OPEN_CODE, message }, needs };
}

const TOOLS = { agent: 'the agent itself', shell: 'a shell', editor: 'an editor', command: 'a command' } as const;
