import { z } from 'zod';
import { Bytes } from './units.ts';

/** How strong the walls are, weakest first. */
export const SandboxLevel = z.enum(['none', 'pid', 'bubblewrap', 'domains', 'container']);
export type SandboxLevel = z.infer<typeof SandboxLevel>;

/** Whether the one level's walls are weaker than the other's. */
export function isWeaker(level: SandboxLevel, than: SandboxLevel): boolean {
  const { options } = SandboxLevel;
  return options.indexOf(level) < options.indexOf(than);
}

/** What walls may hold, in the words of a table for persons. */
export const WALL_PROPERTIES = {
  ends: 'what a program starts ends with it, also when the harness is killed',
  processes: 'other processes are out of sight and reach',
  files: "the machine's files are out of sight, but for programs and what is listed",
  secrets: "HOME, keys, tokens and the harness's environment are out of sight",
  siblings: "other runs' workspaces, and the harness's own state, are out of reach",
  network: 'nothing is reached but what the run may reach',
  kernel: 'system calls that programs do not need are refused',
  samePath: 'every run finds its workspace at the same path',
} as const;
export type WallProperty = keyof typeof WALL_PROPERTIES;

/** What a level's walls promise on a host, as a run keeps it. */
export const WallPromises = z.object({
  /** What makes them, for instance `bubblewrap`. */
  mechanism: z.string(),
  guarantees: z.array(z.string()),
  warnings: z.array(z.string()),
});
export type WallPromises = z.infer<typeof WallPromises>;

/** What the processes of one workspace may use together; what is left out is not bounded, but for `openFiles`. */
export const ResourceLimits = z.strictObject({
  /** Bytes of memory, page cache for what they write not counted where the host can tell it apart. */
  memory: z.int().positive().optional(),
  /** Cores, also a part of one. */
  cpus: z.number().positive().optional(),
  /** Processes and threads. */
  processes: z.int().positive().optional(),
  /** Bytes that they may leave on the disk: in checkout, HOME and /tmp. */
  disk: z.int().positive().optional(),
  /** Descriptors that each one of them may have open; left out, the level's own bound holds. */
  openFiles: z.int().positive().optional(),
});
export type ResourceLimits = z.infer<typeof ResourceLimits>;
export type ResourceName = keyof ResourceLimits;

/** As a person writes them. */
export const WrittenResources = z.strictObject({
  memory: Bytes.describe('Of all its processes together').optional(),
  cpus: z.number().positive().max(4096).describe('Cores, also a part of one: 1.5').optional(),
  processes: z.int().min(8).max(4_000_000).describe('Processes and threads').optional(),
  disk: Bytes.describe('What its workspace may come to').optional(),
  openFiles: z
    .int()
    .min(256)
    .max(1_048_576)
    .describe('Files, pipes and sockets that each program may have open; without it 65536, or fewer')
    .optional(),
});
