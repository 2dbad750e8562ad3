import { z } from 'zod';
import { type Blueprint, type BlueprintNode, EndState } from '../domain/blueprint.ts';

/** One execution of a node: `fix-lint #2`. Inside a node that enters a blueprint the path is `outer/inner`. */
export const StepRef = z.object({ node: z.string(), n: z.int().positive() });
export type StepRef = z.infer<typeof StepRef>;

/**
 * Why a run waits for a person. `node` is the path of the node that parked it, `outcome` the one that led there.
 *
 * - `edge`: the node ended in an outcome whose edge is `park`; `detail` as the node gave it.
 * - `exhausted`: the node would be entered past its `max`, and its own edge for that is `park` or has led back to it.
 * - `steps`: the next step would be one more than `limits.steps`.
 */
export const ParkReason = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('edge'), node: z.string(), outcome: z.string(), detail: z.string().optional() }),
  z.object({
    kind: z.literal('exhausted'),
    node: z.string(),
    outcome: z.string(),
    bound: z.object({ name: z.literal('max'), amount: z.int(), per: z.string().optional() }),
  }),
  z.object({
    kind: z.literal('steps'),
    node: z.string(),
    outcome: z.string(),
    bound: z.object({ name: z.literal('steps'), amount: z.int() }),
  }),
]);
export type ParkReason = z.infer<typeof ParkReason>;

/** One blueprint that the run is inside of. */
export const Frame = z.object({
  inputs: z.record(z.string(), z.unknown()),
  /** The node of this blueprint that the run is at; for all but the innermost frame, the one that entered the next. */
  node: z.string(),
  /** How often each node was entered, since `per` where it has one. */
  visits: z.record(z.string(), z.int()),
  /** What the latest step of each node has put out. */
  outputs: z.record(z.string(), z.record(z.string(), z.unknown())),
});
export type Frame = z.infer<typeof Frame>;

/**
 * Where a run is in its blueprint: all that `advance` knows besides the blueprint itself. Plain JSON, kept in the run's row.
 *
 *     step → step | parked | ended        by `advance`
 *     parked → step                       by `retry`
 *     any → step                          by `reenter`
 *
 * `frames` goes from the outermost blueprint to the innermost and is never empty. While parked, the innermost frame is at the
 * node that `retry` enters.
 */
export const FlowState = z.object({
  version: z.literal(1),
  at: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('step'), step: StepRef }),
    z.object({ kind: z.literal('parked'), reason: ParkReason, step: StepRef.optional() }),
    z.object({
      kind: z.literal('ended'),
      end: z.string(),
      as: EndState,
      outputs: z.record(z.string(), z.unknown()),
    }),
  ]),
  frames: z.array(Frame).min(1),
  /** Steps so far by path of their node, for numbering them. */
  counts: z.record(z.string(), z.int()),
  /** `limit` is what was given, `allowed` what retries have made of it. */
  steps: z.object({ limit: z.int().positive(), used: z.int(), allowed: z.int() }),
});
export type FlowState = z.infer<typeof FlowState>;

/** An edge that was taken without anything being executed at its end, or to what is next. */
export interface TakenEdge {
  /** Path of the node. */
  readonly from: string;
  readonly outcome: string;
  readonly to: string;
}

/** What is to be done next. `edges` are those that led here from the step before, in order, for showing. */
export type Transition =
  | {
      readonly kind: 'step';
      readonly step: StepRef;
      readonly node: BlueprintNode;
      /** The blueprint that holds the node. */
      readonly blueprint: Blueprint;
      /** Resolved values; null where a node has not put out what is asked for. */
      readonly with: Record<string, unknown>;
      readonly edges: readonly TakenEdge[];
    }
  | {
      readonly kind: 'park';
      readonly reason: ParkReason;
      /** Path of the node that `retry` enters. */
      readonly node: string;
      /** The step that ended before. */
      readonly step?: StepRef;
      readonly edges: readonly TakenEdge[];
    }
  | {
      readonly kind: 'end';
      readonly end: string;
      readonly as: EndState;
      readonly outputs: Record<string, unknown>;
      readonly edges: readonly TakenEdge[];
    };
