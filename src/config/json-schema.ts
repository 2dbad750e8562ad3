import { z } from 'zod';
import { MachineConfig } from './machine.ts';
import { RepositoryConfig } from './repository.ts';

/** What editors need to complete and check the two configuration files as people write them. */
export function configJsonSchemas(): {
  repository: z.core.JSONSchema.JSONSchema;
  machine: z.core.JSONSchema.JSONSchema;
} {
  return {
    repository: z.toJSONSchema(RepositoryConfig, { io: 'input' }),
    machine: z.toJSONSchema(MachineConfig, { io: 'input' }),
  };
}
