import { join } from 'node:path';
import type { RunSettings } from '../domain/settings.ts';
import type { Clock } from '../lib/clock.ts';
import type { SwitchyardError } from '../lib/error.ts';
import { watchDisk } from '../lib/resources/disk-watch.ts';
import type { EgressRules } from '../ports/egress.ts';
import type { ModelMeter, ModelWay } from '../ports/model-gateway.ts';
import type { Breach, Bridge, Sandbox, SandboxedProcess, SandboxProgram } from '../ports/sandbox.ts';
import type { GitStore } from '../workspaces/git-store.ts';
import type { Layout } from '../workspaces/layout.ts';
import { withServices } from '../workspaces/services/services.ts';
import { agentEgressRules, egressRules, gitSandbox, programsSandbox } from './enclosure.ts';
import type { Host } from './host.ts';
import { modelWays } from './model-ways.ts';
import { OnceEgress } from './once-egress.ts';
import { runServices, withBridges } from './run-services.ts';

/** The sandboxes round one run's workspace, and its services. Disposing ends the services and closes the ways out. */
export interface RunSandboxes extends AsyncDisposable {
  /** For the harness's own git over the workspace. */
  readonly git: Sandbox;
  /** For setup: with those of the services that do not wait for it. */
  readonly setup: Sandbox;
  /** For commands and checks. */
  readonly programs: Sandbox;
  /** For an agent: with its own HOME and the way to its model. */
  agent(name: string): Sandbox;
  /** The way to the agent's model, opened when it is first asked for; undefined where it goes there by itself. */
  model(name: string): Promise<ModelWay | undefined>;
}

interface Parts {
  readonly host: Host;
  readonly run: {
    readonly id: string;
    readonly settings: Pick<RunSettings, 'sandbox' | 'container' | 'network' | 'resources' | 'services'>;
  };
  /** Where the workspace lies, if not where the run's does. */
  readonly layout?: Layout;
  readonly store: GitStore;
  /** Told, in a sentence, what was refused, once for each host and way out; `refused` names the host. */
  readonly onRefused: (text: string, refused: string) => void;
  /** Told the name of each wall that is made, before the program in it is anybody's; durable when it resolves. */
  readonly remember: (namespace: string) => Promise<void>;
  /** Hears what an agent uses of its model. */
  readonly meter: (agent: string) => Promise<ModelMeter>;
  /** Told of the limits that programs have run into. */
  readonly onBreach?: ((breach: Breach) => void) | undefined;
  /** Told when a service of the run has ended by itself: from then on no program is started any more. */
  readonly onServiceEnded?: (failure: SwitchyardError) => void;
  readonly clock: Clock;
  /** Ends the waiting for services. */
  readonly signal: AbortSignal;
}

export async function runSandboxes({ host, run, store, signal, meter, ...told }: Parts): Promise<RunSandboxes> {
  const { settings } = run;
  const walls = await host.walls(settings.sandbox, settings.container);
  const layout = told.layout ?? host.workspaces.layoutOf(run.id);
  const network = settings.network ?? [];
  const refused = (name: string) =>
    told.onRefused(
      `The sandbox refused a connection to ${name}: what this run may reach is ${network.join(', ') || 'nothing'}.`,
      name,
    );
  const egresses: OnceEgress[] = [];
  const waysOut = (rules: EgressRules) => {
    const egress = new OnceEgress(() => host.openEgress(rules, refused));
    egresses.push(egress);
    return egress;
  };
  const programsIn = (
    home: string,
    egress: OnceEgress,
    bridges: () => readonly Bridge[] | Promise<readonly Bridge[]>,
  ) => {
    const open = async () => withBridges(await egress.open(), await bridges());
    const inner = programsSandbox({ walls, layout, store: store.path, home, settings, egress: open });
    return observed(inner, { ...told, disk: settings.resources?.disk, folder: layout.root });
  };
  const own = waysOut(egressRules(network));
  const services = runServices({
    host,
    walls,
    layout,
    declared: settings.services,
    sandboxWith: (bridges) => programsIn(layout.home, own, () => bridges),
    signal,
    onEnded: (failure) => told.onServiceEnded?.(failure),
  });
  const programs = programsIn(layout.home, own, () => services.bridges);
  const models = modelWays({ host, meter, network, isWalled: walls.boundsNetwork, services: settings.services ?? [] });
  const agents = new Map<string, Sandbox>();
  const agent = (name: string): Sandbox => {
    const bridges = async () => [...services.bridges, ...((await models.to(name))?.bridges ?? [])];
    const inner = programsIn(join(layout.homes, name), waysOut(agentRules(host, network, name)), bridges);
    return withServices(inner, services, 'programs');
  };
  return {
    git: gitSandbox(await host.gitWalls(), { layout, store: store.path }),
    setup: withServices(programs, services, 'setup'),
    programs: withServices(programs, services, 'programs'),
    agent(name) {
      const known = agents.get(name) ?? agent(name);
      agents.set(name, known);
      return known;
    },
    model: (name) => models.to(name),
    async [Symbol.asyncDispose]() {
      await services[Symbol.asyncDispose]();
      await Promise.all([...egresses, models].map((ways) => ways[Symbol.asyncDispose]()));
    },
  };
}

function agentRules(host: Host, network: readonly string[], name: string): EgressRules {
  const entry = host.agents.entry(name);
  const adapter = entry === undefined ? undefined : host.agents.adapter(entry.kind);
  return entry === undefined || adapter === undefined
    ? egressRules(network)
    : agentEgressRules(network, { entry, adapter });
}

interface Observer extends Pick<Parts, 'remember' | 'onBreach' | 'clock'> {
  /** Bytes that the workspace may come to on the disk. */
  readonly disk: number | undefined;
  readonly folder: string;
}

/** A sandbox that tells of each wall that it makes, so that a later process can prove that nothing within lives, and of each breach. */
function observed(sandbox: Sandbox, observer: Observer): Sandbox {
  const { remember, onBreach, disk, folder, clock } = observer;
  return {
    ...sandbox,
    async spawn(program: SandboxProgram) {
      const started = await sandbox.spawn(program);
      void started.exited.then(({ breach }) => (breach === undefined ? undefined : onBreach?.(breach)));
      if (disk !== undefined) watchSize(started, { folder, max: disk, onBreach, clock });
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

const LOOK_EVERY_MS = 2_000;
const GRACE_MS = 2_000;

/** Ends a program while whose life the workspace has come to more than it may. */
function watchSize(
  started: SandboxedProcess,
  { folder, max, onBreach, clock }: Pick<Observer, 'folder' | 'clock'> & { max: number; onBreach: Parts['onBreach'] },
): void {
  const over = new AbortController();
  void started.exited.then(() => over.abort());
  watchDisk({
    folders: [folder],
    max,
    everyMs: LOOK_EVERY_MS,
    clock,
    signal: over.signal,
    onPast(breach) {
      onBreach?.(breach);
      void started.stop(GRACE_MS);
    },
  });
}
