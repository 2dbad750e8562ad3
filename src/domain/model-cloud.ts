import { z } from 'zod';

/** A part of a host's name or of a path: nothing that leads elsewhere. */
const Region = z.string().regex(/^[a-z0-9-]+$/, 'write the region as us-east-1');

/** What the models that the agent asks for are called there. One that is not named is asked for as it is. */
const CloudModels = z.record(z.string().min(1), z.string().min(1));

/** A cloud that sells models of others, and signs its customers in its own way. */
export const ModelCloud = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('bedrock'),
    region: Region,
    /** Of `~/.aws/config`; without it, what the environment and the machine say. */
    profile: z.string().min(1).optional(),
    models: CloudModels.optional(),
  }),
  z.strictObject({
    kind: z.literal('vertex'),
    project: z.string().regex(/^[a-z0-9][a-z0-9.:-]*$/, 'write the id of the project, as my-project'),
    region: Region,
    models: CloudModels.optional(),
  }),
]);
export type ModelCloud = z.infer<typeof ModelCloud>;

/** The cloud's own address for a region. */
export function addressOf({ kind, region }: ModelCloud): string {
  if (kind === 'bedrock') {
    return `https://bedrock-runtime.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
  }
  if (region === 'global') return 'https://aiplatform.googleapis.com';
  if (region === 'us' || region === 'eu') return `https://aiplatform.${region}.rep.googleapis.com`;
  return `https://${region}-aiplatform.googleapis.com`;
}
