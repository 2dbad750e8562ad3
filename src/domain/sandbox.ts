import { z } from 'zod';

/** How strong the walls are, weakest first. */
export const SandboxLevel = z.enum(['none', 'pid', 'bubblewrap', 'domains', 'container']);
export type SandboxLevel = z.infer<typeof SandboxLevel>;

/** Those that this version can make; the others are refused. */
export const BUILT_LEVELS: readonly SandboxLevel[] = ['none', 'pid'];
