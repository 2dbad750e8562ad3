import type { Service } from '../domain/service.ts';
import type { ModelMeter, ModelWay } from '../ports/model-gateway.ts';
import type { Host } from './host.ts';

interface Parts {
  readonly host: Pick<Host, 'agents' | 'openModel'>;
  readonly meter: (agent: string) => Promise<ModelMeter>;
  /** What programs may reach: `model`, `packages`, host names. */
  readonly network: readonly string[];
  /** Whether programs reach nothing but what bridges lead to. */
  readonly isWalled: boolean;
  readonly services: readonly Service[];
}

/** The ways of a run's agents to their models, each opened once. Disposing closes them. */
export interface ModelWays extends AsyncDisposable {
  /** Undefined for an agent that goes there by itself. */
  to(agent: string): Promise<ModelWay | undefined>;
}

/** Where agents within walls find their model; the next port where a service has that one. */
const PORT = 4180;

export function modelWays({ host, meter, network, isWalled, services }: Parts): ModelWays {
  const opened = new Map<string, Promise<ModelWay | undefined>>();
  let isOver = false;
  const open = async (agent: string): Promise<ModelWay | undefined> => {
    const entry = host.agents.entry(agent);
    if (entry === undefined) return undefined;
    const bridgedPort = isWalled ? portBeside(services.map(({ port }) => port)) : undefined;
    const way = await host.openModel({ entry, bridgedPort, meter: await meter(agent) });
    // Where it may not go there, it has no use for a key either.
    return way === undefined || network.includes('model') ? way : { ...way, bridges: [] };
  };
  return {
    to(agent) {
      if (isOver) return Promise.reject(new Error('the ways to models are closed'));
      const known = opened.get(agent) ?? open(agent);
      opened.set(agent, known);
      known.catch(() => opened.delete(agent));
      return known;
    },
    async [Symbol.asyncDispose]() {
      isOver = true;
      const ways = await Promise.all([...opened.values()].map((one) => one.catch(() => undefined)));
      await Promise.all(ways.map(async (way) => way?.[Symbol.asyncDispose]()));
    },
  };
}

function portBeside(taken: readonly number[]): number {
  let port = PORT;
  while (taken.includes(port)) port += 1;
  return port;
}
