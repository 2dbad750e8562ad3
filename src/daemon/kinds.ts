import { agentNode } from '../nodes/agent/index.ts';
import { approvalNode } from '../nodes/approval/index.ts';
import { blueprintNode } from '../nodes/blueprint/index.ts';
import { checkNode } from '../nodes/check/index.ts';
import { commandNode } from '../nodes/command/index.ts';
import { commitNode } from '../nodes/commit/index.ts';
import { deliverNode } from '../nodes/deliver/index.ts';
import { resetNode } from '../nodes/reset/index.ts';
import type { NodeKind } from '../ports/node.ts';

/** Every kind of node, by the word that selects it in a blueprint. */
export const nodeKinds: ReadonlyMap<string, NodeKind> = new Map(
  [agentNode, approvalNode, blueprintNode, checkNode, commandNode, commitNode, deliverNode, resetNode].map((kind) => [
    kind.descriptor.kind,
    kind,
  ]),
);
