import { join } from 'node:path';
import type { Breach, Sandbox, SandboxProgram } from '../ports/sandbox.ts';
import type { RunRow } from '../store/rows.ts';
import type { GitStore } from '../workspaces/git-store.ts';
import { agentEgressRules, egressRules, gitSandbox, programsSandbox } from './enclosure.ts';
import type { Host } from './host.ts';
import { OnceEgress } from './once-egress.ts';

/** The sandboxes round one run's workspace. Disposing closes the ways out of them. */
export interface RunSandboxes extends AsyncDisposable {
  /** For the harness's own git over the workspace. */
  readonly git: Sandbox;
  /** For setup, commands and checks. */
  readonly programs: Sandbox;
  /** For an agent: with its own HOME and the way to its model. */
  agent(name: string): Sandbox;
}

interface Parts {
  readonly host: Host;
  readonly run: Pick<RunRow, 'id' | 'settings'>;
  readonly store: GitStore;
  /** Told, in a sentence, what was refused, once for each host. */
  readonly onRefused: (text: string) => void;
  /** Told the name of each wall that is made, before the program in it is anybody's; durable when it resolves. */
  readonly remember: (namespace: string) => Promise<void>;
  /** Told of the limits that programs have run into. */
  readonly onBreach?: (breach: Breach) => void;
}

export async function runSandboxes({ host, run, store, ...told }: Parts): Promise<RunSandboxes> {
  const { settings } = run;
  const walls = await host.walls(settings.sandbox);
  const layout = host.workspaces.layoutOf(run.id);
  const network = settings.network ?? [];
  const refused = (name: string) =>
    told.onRefused(
      `The sandbox refused a connection to ${name}: what this run may reach is ${network.join(', ') || 'nothing'}.`,
    );
  const egresses: OnceEgress[] = [];
  const programsIn = (home: string, rules: ReturnType<typeof egressRules>) => {
    const egress = new OnceEgress(() => host.openEgress(rules, refused));
    egresses.push(egress);
    const open = () => egress.open();
    return observed(programsSandbox({ walls, layout, store: store.path, home, settings, egress: open }), told);
  };
  const agents = new Map<string, Sandbox>();
  return {
    git: gitSandbox(await host.gitWalls(), { layout, store: store.path }),
    programs: programsIn(layout.home, egressRules(network)),
    agent(name) {
      const known = agents.get(name);
      if (known !== undefined) return known;
      const entry = host.agents.entry(name);
      const adapter = entry === undefined ? undefined : host.agents.adapter(entry.kind);
      const isKnown = entry !== undefined && adapter !== undefined;
      const rules = isKnown ? agentEgressRules(network, { entry, adapter }) : egressRules(network);
      const made = programsIn(join(layout.homes, name), rules);
      agents.set(name, made);
      return made;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(egresses.map((egress) => egress[Symbol.asyncDispose]()));
    },
  };
}

/** A sandbox that tells of each wall that it makes, so that a later process can prove that nothing within lives, and of each breach. */
function observed(sandbox: Sandbox, { remember, onBreach }: Pick<Parts, 'remember' | 'onBreach'>): Sandbox {
  return {
    ...sandbox,
    async spawn(program: SandboxProgram) {
      const started = await sandbox.spawn(program);
      void started.exited.then(({ breach }) => (breach === undefined ? undefined : onBreach?.(breach)));
      if (started.namespace === undefined) return started;
      try {
        await remember(started.namespace);
        return started;
      } catch (error) {
        await started[Symbol.asyncDispose]();
        throw error;
      }
    },
  };
}
