import { z } from 'zod';
import type { NodeKindDescriptor } from '../domain/node-kind.ts';
import { BlueprintFile, CommonFields, EndFile } from './file-schema.ts';

/**
 * The JSON schema of blueprint files, for editors that complete and check YAML. It comes from the schemas that the loader reads
 * with; what only the loader can know, such as which nodes there are, it lets pass.
 */
export function blueprintJsonSchema(kinds: ReadonlyMap<string, NodeKindDescriptor>): Record<string, unknown> {
  const nodes = [...kinds.values()].map((kind) => z.strictObject({ ...kind.fields.shape, ...CommonFields.shape }));
  const file = BlueprintFile.extend({
    nodes: z.record(z.string(), z.union([...nodes, EndFile])).describe('The nodes and further ends by name'),
  });
  const { $schema, ...schema } = z.toJSONSchema(file, {
    target: 'draft-7',
    io: 'input',
    unrepresentable: 'any',
  });
  return { $schema, title: 'A Switchyard blueprint', ...schema };
}
