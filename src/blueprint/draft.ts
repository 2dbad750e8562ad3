import type { Blueprint, BlueprintInput, BlueprintWorkspace, EndState, WithValue } from '../domain/blueprint.ts';
import type { Limits } from '../domain/limits.ts';
import type { NodeFields, NodeKindDescriptor, NodeReferences } from '../domain/node-kind.ts';
import type { BlueprintSource, Path, SourceDocument } from './document.ts';

/**
 * A blueprint half-way: read from its file as far as it can be read, not yet checked. Every part remembers where it was
 * written. The rules of `rules/` look at drafts; a draft without a problem becomes a `Blueprint`.
 */
export interface Draft {
  readonly document: SourceDocument;
  readonly context: LoadContext;
  readonly name: string;
  readonly summary?: string | undefined;
  readonly inputs: Readonly<Record<string, BlueprintInput>>;
  readonly limits: Limits;
  readonly workspace: BlueprintWorkspace;
  readonly requires: readonly string[];
  readonly start?: string | undefined;
  readonly on: Readonly<Record<string, string>>;
  readonly nodes: ReadonlyMap<string, DraftNode>;
  readonly ends: ReadonlyMap<string, DraftEnd>;
  /** The blueprints that nodes name, as far as they could be loaded. */
  readonly children: ReadonlyMap<string, Blueprint>;
}

export interface DraftNode {
  readonly name: string;
  readonly path: Path;
  /** Undefined when it could not be told, or the kind's own fields are wrong; then nothing is known about outcomes and outputs. */
  readonly kind: NodeKindDescriptor | undefined;
  readonly fields: NodeFields;
  /** Undefined when nothing is known about them. */
  readonly outcomes: readonly string[] | undefined;
  readonly universal: readonly string[];
  /** Undefined when nothing is known about them. */
  readonly outputs: readonly string[] | undefined;
  readonly references: NodeReferences;
  readonly max?: number | undefined;
  readonly per?: string | undefined;
  readonly next?: string | undefined;
  readonly with: Readonly<Record<string, WithValue>>;
  readonly limits?: Limits | undefined;
  /** What is written first, then the defaults. */
  readonly edges: readonly DraftEdge[];
}

export interface DraftEdge {
  readonly outcome: string;
  readonly to: string;
  readonly path: Path;
  /** `node`: under the node itself. `blueprint`: by the top-level `on`. `default`: nobody said anything. */
  readonly from: 'node' | 'blueprint' | 'default';
}

export interface DraftEnd {
  readonly name: string;
  /** Undefined for the ready-made ones, which are written nowhere. */
  readonly path: Path | undefined;
  readonly as: EndState;
  readonly outputs: Readonly<Record<string, WithValue>>;
}

/** What a blueprint is loaded against. Where `agents` or `checks` is undefined, names of those are not checked. */
export interface LoadContext {
  readonly kinds: ReadonlyMap<string, NodeKindDescriptor>;
  readonly agents?: readonly string[];
  readonly checks?: readonly { readonly name: string; readonly kind?: string | undefined }[];
  /** The text of a prompt file, or undefined if there is none of this name. */
  readPrompt(name: string): string | undefined;
  readBlueprint(name: string): BlueprintSource | undefined;
}
