import type { SwitchyardError } from '../lib/error.ts';
import type { NodeKind, StepContext } from '../ports/node.ts';
import type { Breach } from '../ports/sandbox.ts';
import type { Workspace } from '../ports/workspace.ts';
import { addNamespace } from '../store/attempts.ts';
import { getRepository } from '../store/repositories.ts';
import { getTask } from '../store/tasks.ts';
import { attemptMeters } from './attempt-meters.ts';
import type { Claim } from './claim.ts';
import { nodeOf, stepContext } from './context.ts';
import type { Engine } from './engine.ts';
import type { Host } from './host.ts';
import type { Journal } from './journal.ts';
import { runSandboxes } from './run-sandboxes.ts';
import { SaidAside } from './say-once.ts';
import { workspaceRequest } from './workspace-request.ts';

export interface EquipmentParts {
  readonly engine: Engine;
  readonly host: Host;
  readonly claimed: Claim;
  readonly journal: Journal;
  readonly signal: AbortSignal;
  readonly onOpened: (workspace: Workspace) => void;
  /** Saves the uncollected work. */
  readonly save: () => Promise<void>;
  readonly onBreach: (breach: Breach) => void;
  readonly onServiceEnded: (failure: SwitchyardError) => void;
  /** Disposed when the attempt has ended. */
  readonly over: AsyncDisposableStack;
}

type Executable = Extract<NodeKind, { mode: 'execute' }>;

/** Brings together what the step may use. The workspace is opened when the step asks for it, and once. */
export async function equip(parts: EquipmentParts): Promise<{ kind: Executable; context: StepContext }> {
  const { engine, host, claimed, journal, signal } = parts;
  const { run } = claimed;
  const kind = engine.kinds.get(nodeOf(claimed).node.kind);
  if (kind?.mode !== 'execute') throw new Error(`no kind of node executes ${claimed.step.kind}`);
  await host.agents.refresh();
  await host.secrets.refresh();
  const [task, repository] = await Promise.all([
    getTask(engine.database, run.task),
    getRepository(engine.database, run.repository),
  ]);
  const store = await host.openStore(repository);
  const forge = host.forge(repository, store);
  const { node, n } = claimed.step;
  const meters = attemptMeters({ engine, claimed, journal });
  parts.over.use(meters);
  const aside = new SaidAside({ engine, claimed, journal });
  parts.over.use(aside);
  const sandboxes = await runSandboxes({
    host,
    run,
    store,
    onRefused: (text, refused) => aside.sayOnce(`refused ${engine.redact(refused)}`, text),
    remember: (name) => addNamespace(engine.database, { step: claimed.step.id, n: claimed.attempt }, name),
    meter: (agent) => meters.of(agent),
    onBreach: parts.onBreach,
    clock: engine.clock,
    onServiceEnded(failure) {
      parts.onServiceEnded(failure);
      void journal.add({ kind: 'message', level: 'warning', text: failure.message, node, n });
    },
    signal,
  });
  parts.over.use(sandboxes);

  let opening: Promise<Workspace> | undefined;
  const open = async () => {
    const request = await workspaceRequest({ engine, host, claimed, store, sandboxes, signal, journal });
    const { workspace, notes } = await host.workspaces.open(request);
    parts.onOpened(workspace);
    for (const text of notes) await journal.add({ kind: 'message', level: 'info', text, node, n });
    return workspace;
  };
  const openWorkspace = () => (opening ??= open());
  const { save } = parts;
  const { programs: sandbox } = sandboxes;
  const agentSandbox = (name: string) => sandboxes.agent(name);
  const agentModel = async (name: string) => {
    const way = await sandboxes.model(name);
    return way && { entry: way.entry, env: way.env, meter: await meters.of(name) };
  };
  const shared = { engine, host, claimed, journal, task, store, forge, sandbox, agentSandbox, agentModel, signal };
  const context = stepContext({ ...shared, openWorkspace, save });
  return { kind, context };
}
