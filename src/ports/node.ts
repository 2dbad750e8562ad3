import type { AgentEntry } from '../domain/agent-entry.ts';
import type { Blueprint } from '../domain/blueprint.ts';
import type { EventPayload } from '../domain/event.ts';
import type { CheckEvidence, ExposedLogin } from '../domain/evidence.ts';
import type { NodeKindDescriptor } from '../domain/node-kind.ts';
import type { Needs, Usage } from '../domain/run.ts';
import type { Task } from '../domain/task.ts';
import type { Clock } from '../lib/clock.ts';
import type { CrashPoint } from '../lib/crash-point.ts';
import type { Redact } from '../lib/redact.ts';
import type { AgentAdapter } from './agent.ts';
import type { AgentModel } from './agent-model.ts';
import type { Forge } from './forge.ts';
import type { Sandbox } from './sandbox.ts';
import type { CommitText, Workspace } from './workspace.ts';

/** A kind of node, as it comes in by the plugin door. */
export type NodeKind = {
  readonly descriptor: NodeKindDescriptor;
} & (
  | {
      readonly mode: 'execute';
      /** Whether a step of this kind occupies one of the agents' places. */
      readonly agentic: boolean;
      /**
       * What a step has to itself in its repository while it works, such as the branch that it merges to: steps that hold the same
       * are worked on one after the other. Undefined when it needs nothing for itself. `target` is the run's.
       */
      holds?(facts: { fields: Readonly<Record<string, unknown>>; target: string | null }): string | undefined;
      /**
       * Does the step's work. Expected outcomes are values; a rejection is the outcome `error`. On abort of `context.signal` it
       * ends what it started and returns or rejects soon: the result is then ignored.
       */
      execute(context: StepContext): Promise<StepResult>;
    }
  | {
      readonly mode: 'wait';
      /** What the parked run needs of a person. No process runs meanwhile. */
      needs(facts: {
        fields: Record<string, unknown>;
        with: Record<string, unknown>;
        head: string;
        blueprint: Blueprint;
        task: Task;
      }): Needs;
    }
  /** Executes nothing itself: `advance` enters what it holds. */
  | { readonly mode: 'compose' }
);

export type StepResult =
  | {
      readonly kind: 'outcome';
      readonly outcome: string;
      readonly outputs?: Readonly<Record<string, unknown>>;
      /** One sentence for a person: why this outcome. */
      readonly detail?: string;
      /** What a person must know if this outcome parks the run. */
      readonly park?: { readonly code: string; readonly needs: Needs['kind']; readonly files?: readonly string[] };
      readonly merged?: { readonly target: string; readonly commit: string; readonly tree: string };
    }
  /** A bound of the run was reached: parks, whatever the edges say. */
  | {
      readonly kind: 'limit';
      readonly limit: string;
      readonly used: number;
      readonly max: number;
      readonly text: string;
      /** When it will be there again by itself (milliseconds since the epoch): the run then goes on. */
      readonly until?: number;
    };

/** Everything that a step may use. All of it belongs to one attempt and is void once that has lost its lease. */
export interface StepContext {
  readonly run: RunFacts;
  readonly task: Task;
  readonly blueprint: Blueprint;
  readonly step: StepFacts;
  readonly limits: StepLimits;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly crashPoint: CrashPoint;

  /** The walls round everything that the step starts. */
  readonly sandbox: Sandbox;
  /** The environment for commands and checks. */
  readonly commandEnv: Readonly<Record<string, string>>;
  /**
   * The values of secrets that a command or a check names, for its environment alone: never for an agent. Rejects with `secret/missing`
   * where one is not stored.
   */
  secrets(names: readonly string[]): Promise<Readonly<Record<string, string>>>;
  /** Takes the values of secrets out of what programs say, before any of it is kept, shown or told to an agent. */
  readonly redact: Redact;
  /** Opens the workspace on first use: made, set up, at the run's head. */
  workspace(): Promise<Workspace>;
  /** Saves what the step has done so far, with the agent's session, so that another attempt goes on from here. Rejects for nothing. */
  save(): Promise<void>;
  /** The text of a commit for what this step changed. */
  commitText(message?: string): CommitText;

  readonly checks: readonly CheckDeclaration[];
  readonly agents: AgentDirectory;
  readonly messages: PersonsMessages;
  readonly forge: Forge;
  readonly git: RunGit;

  /** Appends to the run's journal. Resolves when it is stored or queued to be. */
  emit(payload: EventPayload): Promise<void>;
  /** Says something once in the run's journal. */
  say(level: 'info' | 'warning', text: string): Promise<void>;
  /** The same, as a warning, but only the first time for that key in the whole run. */
  sayOnce(key: string, text: string): Promise<void>;
  /** What the run's steps have done until now, in a few lines, for an agent that has forgotten. */
  summary(): Promise<string>;
  recordEvidence(evidence: CheckEvidence): Promise<void>;
  /** A login lies within the walls of an agent from here on: durable when it resolves, and a part of all later evidence. */
  recordExposed(login: ExposedLogin): Promise<void>;
  /** The logins that were exposed in the run until now. */
  exposed(): Promise<readonly ExposedLogin[]>;
  /** What checks have said of the run's commits since a person last decided something, oldest first. */
  verdicts(): Promise<readonly EarlierVerdict[]>;
  /** Names of the checks that the run's steps passed: on any of its heads, or on commits with this tree. */
  passedChecks(tree?: string): Promise<readonly string[]>;
  /** The node whose output or checkpoint is asked for, as `reset` needs: the head after its latest step. */
  headAfter(node: string): Promise<string | undefined>;
}

export interface EarlierVerdict extends CheckEvidence {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Whether an agent of the run has worked since. */
  readonly workedSince: boolean;
}

export interface RunFacts {
  readonly id: string;
  readonly slug: string;
  readonly base: { readonly ref: string; readonly commit: string };
  readonly target: string | null;
  readonly head: string;
  readonly requester: string;
  /** Whether a merge into the target pushes it. */
  readonly push: boolean;
  /** The commit of the run that holds what was not committed in the person's checkout, where that was taken along. */
  readonly included?: string | undefined;
  /** Commit that the run's branch in the forge is believed to stand on. */
  readonly delivered: string | null;
}

export interface StepFacts {
  readonly node: string;
  readonly n: number;
  readonly attempt: number;
  /** The run's head when the step began; undefined where it is still that. What has changed since is counted as the step's. */
  readonly stoodOn?: string | undefined;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly with: Readonly<Record<string, unknown>>;
  /** Entered because of a person's message, which is its task: it goes on in the session of its node's latest step. */
  readonly followUp: boolean;
}

/** What is left to this step. Undefined means unbounded. */
export interface StepLimits {
  readonly silenceMs: number;
  readonly wallMs: number;
  /** How often in a row an agent may do the same with the same result, and a check may fail in the same way. */
  readonly repeats: number;
  readonly turns: Bound;
  readonly tokens: Bound | undefined;
  /** US dollars. */
  readonly cost: Bound | undefined;
}

/** `used` by earlier steps, of at most `max`. */
export interface Bound {
  readonly used: number;
  readonly max: number;
}

export interface CheckDeclaration {
  readonly name: string;
  readonly run: string;
  readonly kind: string;
  readonly timeoutMs?: number | undefined;
  /** How long it may take where quick feedback is wanted. */
  readonly budgetMs?: number | undefined;
  readonly fix?: string | undefined;
  readonly changed?: string | undefined;
  /** The folder within the repository that it runs in; without it, the repository's own. */
  readonly path?: string | undefined;
  /** Names of the secrets that it finds in its environment, its fix as well. */
  readonly secrets?: readonly string[] | undefined;
}

export interface AgentDirectory {
  /** The agent of that name; `default` is the run's own. Rejects with `agent/unknown`. */
  resolve(name: string): { readonly name: string; readonly entry: AgentEntry; readonly adapter: AgentAdapter };
  /** The walls round an agent of the run: as round everything that the step starts, with its own HOME and the way to its model. */
  sandbox(name: string): Sandbox;
  /**
   * How an agent of the run reaches its model by way of the gateway, which holds the key and counts what is used; undefined for one that
   * goes there by itself, and says itself what it uses. Rejects with `agent/no-key` and `gateway/…`.
   */
  model(name: string): Promise<AgentModel | undefined>;
  /** The latest session of that node (path) in this run. */
  session(node: string): Promise<AgentSession | undefined>;
  /** A session that an earlier attempt of this same step began and could not end. */
  interrupted(): Promise<AgentSession | undefined>;
  /** Remembers the session of this step; durable when it resolves. One that goes on for an inherited session stands for that from then on. */
  remember(session: {
    readonly agent: string;
    readonly id: string;
    readonly goesOnFor?: string | undefined;
  }): Promise<void>;
  /** Adds to what the run has used; durable soon after. */
  count(used: { turns?: number; usage?: Usage }): Promise<void>;
  readonly hostEnv: Readonly<Record<string, string | undefined>>;
}

export interface AgentSession {
  readonly agent: string;
  readonly id: string;
  /**
   * `inherited`: of the run that this one was forked from, to be forked in place of resumed. `handed-over`: the agent has no part in it
   * and begins anew, with a summary.
   */
  readonly standing: 'own' | 'inherited' | 'handed-over';
}

/** What persons say to the run's agent while it works. */
export interface PersonsMessages {
  /**
   * Takes what no turn has heard to its end yet, in order; from then on it counts as delivered to this attempt. What an attempt took
   * that died, or whose turn failed or was interrupted at once, is among it, as `again`. Empty once the lease is lost.
   */
  take(): Promise<readonly PersonsMessage[]>;
  /** The turn that was told what was taken last has come to its end, or had begun to answer when it was interrupted. */
  heard(): Promise<void>;
  /** Resolves to true when something came for which the turn at work is to be interrupted, to false when the signal aborts before. */
  urgent(signal: AbortSignal): Promise<boolean>;
}

export interface PersonsMessage {
  readonly from: string;
  readonly text: string;
  /** An agent may have been told it before. */
  readonly again: boolean;
}

/** Git on the run's commits in the git store, without a checkout. */
export interface RunGit {
  treeOf(commit: string): Promise<string>;
  isAncestor(ancestor: string, descendant: string): Promise<boolean>;
  /** The repository's present commit of a branch, fetched into the git store. */
  fetchBranch(branch: string): Promise<string | undefined>;
  /** The commits base..head put on top of `onto`; durable in the git store when it resolves. */
  rebase(request: { base: string; head: string; onto: string }): Promise<RebaseResult>;
  mergeBase(a: string, b: string): Promise<string | undefined>;
  /** One commit with the tree of `head` on top of `onto`; durable in the git store when it resolves. */
  squash(request: { onto: string; head: string; text: CommitText }): Promise<string>;
  /** Tells that the person's repository has this commit of the run now. */
  landed(commit: string): Promise<void>;
  /** Keeps a commit that the run leaves behind. */
  salvage(commit: string, name: string): Promise<void>;
  /** Writes down that the target is about to be moved, so that an attempt after a death knows from where to where. */
  intend(merge: { target: string; from: string; to: string }): Promise<void>;
  /** What was last written down for that target, unless the run's head has moved or was merged since. */
  intended(target: string): Promise<{ readonly from: string; readonly to: string } | undefined>;
}

export type RebaseResult =
  | { readonly kind: 'rebased'; readonly head: string }
  | { readonly kind: 'conflict'; readonly files: readonly string[] };

/**
 * Why a step's signal was aborted. `wall` and `timeout`: what was done so far is kept and counts. `cancel`: it is kept, the run is
 * over. `shutdown`: another attempt will go on with the workspace. `lost`: another attempt has begun; touch nothing any more.
 */
export class StepAborted extends Error {
  readonly why: 'wall' | 'timeout' | 'cancel' | 'shutdown' | 'lost';

  constructor(why: StepAborted['why']) {
    super(`the step was stopped: ${why}`);
    this.name = 'StepAborted';
    this.why = why;
  }
}
