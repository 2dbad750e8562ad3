import { z } from 'zod';
import { MessageState } from '../../domain/event.ts';

// A person's message to a run's agent, as it goes over the wire.

export const Send = z.object({
  /** Of the message; the same one again is the same message. */
  id: z
    .string()
    .regex(/^[A-Za-z0-9-]{8,64}$/)
    .optional(),
  text: z.string(),
  /** Interrupt the turn that is at work. */
  now: z.boolean().default(false),
  actor: z.string(),
});

/** What becomes of a message: it waits, the turn at work is interrupted for it, or the run goes on because of it. */
export const Sent = z.object({
  schema: z.literal(1),
  run: z.string(),
  message: z.string(),
  state: MessageState.exclude(['delivered']),
  /** The same as a sentence. */
  text: z.string(),
});
export type Sent = z.infer<typeof Sent>;
