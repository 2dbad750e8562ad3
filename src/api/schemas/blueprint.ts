import { z } from 'zod';

// Blueprints as they go over the wire.

export const BlueprintRow = z.object({
  name: z.string(),
  summary: z.string(),
  source: z.enum(['shipped', 'repository', 'checkout']),
});
export const BlueprintView = z.object({
  schema: z.literal(1),
  name: z.string(),
  file: z.string(),
  text: z.string(),
  drawing: z.string(),
});
export const ProblemView = z.object({
  file: z.string(),
  line: z.int(),
  column: z.int().optional(),
  message: z.string(),
  hint: z.string().optional(),
});
export const BlueprintChecked = z.object({
  schema: z.literal(1),
  ok: z.boolean(),
  problems: z.array(ProblemView),
  notes: z.array(z.string()),
});
