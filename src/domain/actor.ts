import { z } from 'zod';

/** Who caused an event. */
export const Actor = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('person'), name: z.string() }),
  z.object({ kind: z.literal('agent'), name: z.string(), step: z.string() }),
  z.object({ kind: z.literal('trigger'), name: z.string() }),
  z.object({ kind: z.literal('system'), name: z.string() }),
]);
export type Actor = z.infer<typeof Actor>;

export const SYSTEM: Actor = { kind: 'system', name: 'switchyard' };
