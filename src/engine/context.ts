import { currentNode, type FlowState } from '../blueprint/advance.ts';
import type { Blueprint, BlueprintNode } from '../domain/blueprint.ts';
import { NO_USAGE } from '../domain/run.ts';
import type { Task } from '../domain/task.ts';
import { SwitchyardError } from '../lib/error.ts';
import type { AgentModel } from '../ports/agent-model.ts';
import type { Forge } from '../ports/forge.ts';
import type { AgentDirectory, StepContext } from '../ports/node.ts';
import type { Sandbox } from '../ports/sandbox.ts';
import type { Workspace } from '../ports/workspace.ts';
import { exposedIn, passedChecks, recordEvidence, recordExposed, verdictsSinceDecision } from '../store/evidence.ts';
import { addConsumed } from '../store/runs.ts';
import { rememberSession, sessionOf } from '../store/sessions.ts';
import { latestOfNode } from '../store/steps.ts';
import type { GitStore } from '../workspaces/git-store.ts';
import type { Claim } from './claim.ts';
import { type Engine, withoutSecrets } from './engine.ts';
import type { Host } from './host.ts';
import type { Journal } from './journal.ts';
import { stepLimits } from './limits.ts';
import { runGit } from './run-git.ts';
import { sayOnce } from './say-once.ts';
import { deliveries } from './send-delivery.ts';
import { summaryOf } from './summary.ts';

/** What an attempt has to work with, beside its claim. */
export interface AttemptParts {
  readonly engine: Engine;
  readonly host: Host;
  readonly claimed: Claim;
  readonly journal: Journal;
  readonly task: Task;
  readonly store: GitStore;
  readonly forge: Forge;
  /** For programs of the step; remembers the walls that it makes. */
  readonly sandbox: Sandbox;
  /** The same for an agent, with its own HOME and the way to its model. */
  readonly agentSandbox: (name: string) => Sandbox;
  /** How an agent reaches its model by way of the gateway; undefined for one that goes there by itself. */
  readonly agentModel: (name: string) => Promise<AgentModel | undefined>;
  readonly signal: AbortSignal;
  openWorkspace(): Promise<Workspace>;
  save(): Promise<void>;
}

export function stepContext(parts: AttemptParts): StepContext {
  const { engine, host, claimed, journal, store, forge } = parts;
  const { run, step } = claimed;
  const { node, blueprint } = nodeOf(claimed);
  return {
    run: {
      id: run.id,
      slug: run.slug,
      base: { ref: run.base_ref, commit: run.base_commit },
      target: run.target,
      head: run.head,
      requester: run.requester,
      push: run.settings.push,
      included: run.settings.included,
      delivered: run.delivered,
    },
    task: parts.task,
    blueprint,
    step: {
      node: step.node,
      n: step.n,
      attempt: claimed.attempt,
      stoodOn: step.stood_on ?? undefined,
      fields: node.fields,
      with: step.inputs,
      followUp: step.follow_up,
    },
    limits: stepLimits(run, node),
    signal: parts.signal,
    clock: engine.clock,
    crashPoint: engine.crashPoint,
    sandbox: parts.sandbox,
    commandEnv: enclosedEnv(host.env, parts.sandbox, host.workspaces.layoutOf(run.id).home),
    secrets: (names) => host.secrets.valuesOf(run.repository, names),
    redact: engine.redact,
    workspace: () => parts.openWorkspace(),
    save: () => parts.save(),
    commitText: (message) => ({
      message: message ?? parts.task.title,
      identity: run.settings.identity,
      trailers: {
        'Switchyard-Run': run.id,
        ...(run.settings.agent === null ? {} : { 'Switchyard-Agent': run.settings.agent }),
      },
    }),
    checks: run.settings.checks,
    agents: agentDirectory(parts),
    messages: deliveries(engine, claimed, journal),
    forge,
    git: runGit({ database: engine.database, claimed, store, forge, crashPoint: engine.crashPoint }),
    emit: (payload) => journal.add(payload),
    say: (level, text) => journal.add({ kind: 'message', level, text, node: step.node, n: step.n }),
    sayOnce: (key, text) => sayOnce({ engine, claimed, journal }, key, text),
    summary: () => summaryOf(engine.database, run.id),
    recordEvidence: (evidence) =>
      recordEvidence(engine.database, run.id, withoutSecrets(engine, evidence), new Date(engine.clock.now())),
    recordExposed: (login) => recordExposed(engine.database, run.id, login, new Date(engine.clock.now())),
    exposed: () => exposedIn(engine.database, run.id),
    verdicts: () => verdictsSinceDecision(engine.database, run.id),
    passedChecks: (tree) => passedChecks(engine.database, run.id, tree),
    headAfter: async (name) => (await latestOfNode(engine.database, run.id, name))?.head ?? undefined,
  };
}

/** The node that the step executes, from the run's own copy of the blueprint; of a merge after the end, one made for it. */
export function nodeOf({ run, step }: Pick<Claim, 'run' | 'step'>): { node: BlueprintNode; blueprint: Blueprint } {
  if (step.aside) return { node: asideNode(step.inputs), blueprint: run.blueprint };
  const current = currentNode(run.blueprint, run.flow as FlowState);
  if (current === undefined) throw new Error(`run ${run.id} is in no node`);
  return current;
}

/** The node of a merge that a person asked for after the end. */
function asideNode(inputs: Readonly<Record<string, unknown>>): BlueprintNode {
  return {
    name: 'merge',
    kind: 'deliver',
    fields: { deliver: 'merge', ...inputs },
    on: {},
    with: {},
    outcomes: ['merged'],
  };
}

function agentDirectory({ engine, host, claimed, agentSandbox, agentModel }: AttemptParts): AgentDirectory {
  const { run, step } = claimed;
  const { database } = engine;
  return {
    hostEnv: host.env,
    resolve(name) {
      const wanted = name === 'default' ? (run.settings.agent ?? name) : name;
      const entry = host.agents.entry(wanted);
      const adapter = entry === undefined ? undefined : host.agents.adapter(entry.kind);
      if (entry === undefined || adapter === undefined) throw unknownAgent(wanted, entry?.kind);
      return { name: wanted, entry, adapter };
    },
    sandbox: agentSandbox,
    model: agentModel,
    session: (node) => sessionOf(database, run.id, node),
    async interrupted() {
      const last = claimed.earlier.findLast((attempt) => attempt.session !== null && attempt.agent !== null);
      return last?.session != null && last.agent != null
        ? { id: last.session, agent: last.agent, standing: 'own' }
        : undefined;
    },
    async remember({ agent, id, goesOnFor = null }) {
      const at = new Date(engine.clock.now());
      await rememberSession(database, {
        run: run.id,
        node: step.node,
        agent,
        id,
        at,
        step: step.id,
        attempt: claimed.attempt,
        goesOnFor,
      });
    },
    async count({ turns = 0, usage = NO_USAGE }) {
      await addConsumed(database, run.id, { turns, usage });
    },
  };
}

/** What commands and checks see of the harness's environment: where programs are, and how to talk. Nothing secret. */
export function commandEnv(env: Host['env']): Record<string, string> {
  const passed = [
    'PATH',
    'HOME',
    'USER',
    'LANG',
    'LC_ALL',
    'TZ',
    'TMPDIR',
    'SSL_CERT_FILE',
    'NODE_EXTRA_CA_CERTS',
    'npm_config_cafile',
  ];
  const kept = passed.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]] as const]));
  return {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    LANG: 'C.UTF-8',
    ...Object.fromEntries(kept),
    CI: 'true',
    TERM: 'dumb',
  };
}

/** The same where programs have a HOME and a `/tmp` within walls: `home` is that HOME's place on the host. */
export function enclosedEnv(env: Host['env'], sandbox: Sandbox, home: string): Record<string, string> {
  const own = sandbox.inside(home);
  const passed = commandEnv(env);
  if (own === home) return passed;
  const { TMPDIR: _, USER: __, ...kept } = passed;
  return { ...kept, HOME: own };
}

function unknownAgent(name: string, kind: string | undefined): SwitchyardError {
  return new SwitchyardError({
    code: 'agent/unknown',
    message:
      kind === undefined
        ? `No agent named ${name} is configured here.`
        : `This version has no adapter for agents of kind ${kind}.`,
    hint: 'Look at `agents:` in config.yaml of SWITCHYARD_HOME; `switchyard doctor` shows what is there.',
  });
}
