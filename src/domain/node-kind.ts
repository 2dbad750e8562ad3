import type { z } from 'zod';

/** What any node may end in besides its own outcomes. `exhausted` is also taken, without a step, on entering past `max`. */
export const UNIVERSAL_OUTCOMES: readonly string[] = ['error', 'timeout', 'stalled', 'exhausted'];

/** Names of `check:` that are always known: a repository that declares none of that kind gets the outcome `missing`. */
export const CHECK_KINDS: readonly string[] = ['format', 'lint', 'typecheck', 'test', 'build'];

/** The kind whose nodes execute nothing: entering one enters another blueprint, whose ends are the node's outcomes. */
export const BLUEPRINT_KIND = 'blueprint';

/** The fields of a node as the kind's schema put them out. */
export type NodeFields = Record<string, unknown>;

/** Declared as a method so that a kind may type its parameter after its own schema. */
type FromFields<Result> = { of(fields: NodeFields): Result }['of'];

/** What a node names in its fields; the loader checks that each exists. */
export interface NodeReferences {
  /** `default` and `same` are always known. */
  readonly agents?: readonly string[];
  /** A declared check, a kind of check, or `all`. */
  readonly checks?: readonly string[];
  /** Nodes of the same blueprint. */
  readonly nodes?: readonly string[];
  /** Nodes of the same blueprint that must be of this very kind, as with a session to resume. */
  readonly peers?: readonly string[];
  /** Prompt files; their text is copied into the blueprint. */
  readonly prompts?: readonly string[];
  /** Blueprints; they are loaded and copied into the blueprint. */
  readonly blueprints?: readonly string[];
  /** Secrets that the node's program finds in its environment. */
  readonly secrets?: readonly string[];
}

/** All that loading, checking and drawing need to know about a kind of node; how it executes is elsewhere. */
export interface NodeKindDescriptor {
  /** Also the YAML key whose presence selects the kind: `{ check: all }`. */
  readonly kind: string;
  /**
   * The kind's own YAML fields, the key included. What the schema puts out is what a blueprint stores, so it is plain JSON and
   * is not parsed by this schema a second time.
   */
  readonly fields: z.ZodObject;
  /** Own outcomes; the first is the main one, which `next` is short for. Never empty. */
  readonly outcomes: readonly string[] | FromFields<readonly string[]>;
  /** Universal outcomes of this kind besides `UNIVERSAL_OUTCOMES`; like those, without an edge they park the run. */
  readonly universal?: readonly string[];
  /** Names usable as `$node.output`. */
  readonly outputs: readonly string[] | FromFields<readonly string[]>;
  readonly references?: FromFields<NodeReferences>;
}

/** A descriptor whose functions see the fields in the types of its own schema. */
export function defineNodeKind<Fields extends z.ZodObject>(descriptor: {
  readonly kind: string;
  readonly fields: Fields;
  readonly outcomes: readonly string[] | ((fields: z.output<Fields>) => readonly string[]);
  readonly universal?: readonly string[];
  readonly outputs: readonly string[] | ((fields: z.output<Fields>) => readonly string[]);
  readonly references?: (fields: z.output<Fields>) => NodeReferences;
}): NodeKindDescriptor {
  return descriptor;
}
