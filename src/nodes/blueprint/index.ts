import { z } from 'zod';
import { BLUEPRINT_KIND, defineNodeKind } from '../../domain/node-kind.ts';
import type { NodeKind } from '../../ports/node.ts';

const Fields = z.object({ blueprint: z.string() });

/** Another blueprint in a node: its ends are the outcomes, the outputs of the end are the node's. The loader knows them both. */
export const blueprintNode: NodeKind = {
  descriptor: defineNodeKind({
    kind: BLUEPRINT_KIND,
    fields: Fields,
    outcomes: ['done'],
    outputs: [],
    references: ({ blueprint }) => ({ blueprints: [blueprint] }),
  }),
  mode: 'compose',
};
