import { z } from 'zod';

/** How the checkouts of runs are made, quickest first. */
export const WorkspaceProviderKind = z.enum(['overlay', 'reflink', 'copy']);
export type WorkspaceProviderKind = z.infer<typeof WorkspaceProviderKind>;
