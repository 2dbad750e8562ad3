import { z } from 'zod';

// What `doctor` has to ask the daemon for.

export const DoctorRow = z.object({
  /** `problem`: runs would not work, or not as configured. `warning`: something that a person should know. */
  level: z.enum(['ok', 'info', 'warning', 'problem']),
  name: z.string(),
  text: z.string(),
  /** What to do, or what else there is to know. */
  hint: z.string().exactOptional(),
});
export type DoctorRow = z.infer<typeof DoctorRow>;

export const ExamineAgents = z.object({
  /** Whether their addresses are asked, too. */
  online: z.boolean().default(false),
});

/** The agents of a server, as it finds them in its own environment. */
export const AgentsExamined = z.object({ schema: z.literal(1), pid: z.int(), rows: z.array(DoctorRow) });
