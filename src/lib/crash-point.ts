/**
 * Named places before and after each effect on the outside world. In production a call returns at once; a process started in
 * test mode arms one of them and dies there, so that a test can see what a kill at that instruction leaves behind.
 */
export const EFFECTS = [
  'workspace',
  'setup',
  'agent-spawn',
  'session-id',
  'agent-end',
  'checkpoint',
  'check-end',
  'transition',
  'job-ack',
  'decision',
  'rebase',
  'target-ref',
  'checkout',
  'trash',
  'workspace-remove',
  'database-start',
] as const;

export type Effect = (typeof EFFECTS)[number];
export type CrashPointName = `${Effect}.before` | `${Effect}.after`;

/** Called at a crash point; resolves when the process is to go on. */
export type CrashPoint = (name: CrashPointName) => Promise<void>;

export const noCrashPoint: CrashPoint = () => Promise.resolve();

/**
 * A crash point that calls `die` at the nth passage of the armed name (`name` or `name:nth`, as in SWITCHYARD_CRASH_POINT).
 * `die` either ends this process or resolves, once it has ended the victim.
 */
export function armedCrashPoint(armed: string, die: () => Promise<void>): CrashPoint {
  const [name, nth = '1'] = armed.split(':');
  let left = Number.parseInt(nth, 10);
  return async (passed) => {
    if (passed !== name || --left !== 0) return;
    await die();
  };
}

/** Runs `effect` between its two crash points. */
export async function between<T>(crashPoint: CrashPoint, name: Effect, effect: () => Promise<T>): Promise<T> {
  await crashPoint(`${name}.before`);
  const result = await effect();
  await crashPoint(`${name}.after`);
  return result;
}
