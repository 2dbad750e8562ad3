import { z } from 'zod';

/** How strong the walls are, weakest first. */
export const SandboxLevel = z.enum(['none', 'pid', 'bubblewrap', 'domains', 'container']);
export type SandboxLevel = z.infer<typeof SandboxLevel>;
