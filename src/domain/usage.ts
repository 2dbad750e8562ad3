import { z } from 'zod';

/** What calls to models may be summed by. */
export const UsageBy = z.enum(['run', 'step', 'person', 'team', 'label', 'repository', 'agent', 'model', 'day']);
export type UsageBy = z.infer<typeof UsageBy>;
