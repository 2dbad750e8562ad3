import { z } from 'zod';
import { Bytes } from './units.ts';

/** How strong the walls are, weakest first. */
export const SandboxLevel = z.enum(['none', 'pid', 'bubblewrap', 'domains', 'container']);
export type SandboxLevel = z.infer<typeof SandboxLevel>;

/** Those that this version can make; the others are refused. */
export const BUILT_LEVELS: readonly SandboxLevel[] = ['none', 'pid'];

/** What the processes of one workspace may use together; what is left out is not bounded. */
export const ResourceLimits = z.strictObject({
  /** Bytes of memory, page cache for what they write not counted where the host can tell it apart. */
  memory: z.int().positive().optional(),
  /** Cores, also a part of one. */
  cpus: z.number().positive().optional(),
  /** Processes and threads. */
  processes: z.int().positive().optional(),
  /** Bytes that they may leave on the disk: in checkout, HOME and /tmp. */
  disk: z.int().positive().optional(),
});
export type ResourceLimits = z.infer<typeof ResourceLimits>;
export type ResourceName = keyof ResourceLimits;

/** As a person writes them. */
export const WrittenResources = z.strictObject({
  memory: Bytes.describe('Of all its processes together').optional(),
  cpus: z.number().positive().max(4096).describe('Cores, also a part of one: 1.5').optional(),
  processes: z.int().min(8).max(4_000_000).describe('Processes and threads').optional(),
  disk: Bytes.describe('What its workspace may come to').optional(),
});
