import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type AgentEntry, keysOf, nameOfKey } from '../../domain/agent-entry.ts';
import type { Clock } from '../../lib/clock.ts';
import { messageOf, SwitchyardError } from '../../lib/error.ts';
import type { Ids } from '../../lib/ids.ts';
import type { ModelWay, ModelWayRequest, OpenModelWay } from '../../ports/model-gateway.ts';
import { companyProxies, type Environment } from '../egress/company-proxy.ts';
import { type Resolve, resolveHere } from '../egress/dial.ts';
import { clearLeftFolders, listen, makeSocketFolder, socketPrefix } from '../egress/socket-folder.ts';
import { type UpstreamAgents, upstreamAgents } from '../egress/upstream-agents.ts';
import { machineAuthorities } from './authorities.ts';
import { cloudIdentities, type IdentityAt } from './clouds/identities.ts';
import { carrierOf } from './clouds/index.ts';
import { credentialsOf } from './credential.ts';
import { modelProxy } from './model-proxy.ts';
import type { Price } from './price-of-call.ts';
import { newToken } from './token.ts';
import { wireOf } from './wires/index.ts';

export interface ModelGatewayParts {
  /** Where the sockets are made, each way's in a folder of its own for this user alone. */
  readonly folder: string;
  /** This machine's environment: keys of agents, and its proxies. */
  readonly hostEnv: Environment;
  /** Values of secrets for all repositories, by name, asked for when a way is opened whose keys are among them; none, if not given. */
  readonly secrets?: () => Promise<Readonly<Record<string, string>>>;
  /** US dollars for tokens of a model, as known now. */
  readonly price: Price;
  readonly clock: Clock;
  readonly ids: Ids;
  /** As this machine does it, if not given. */
  readonly resolve?: Resolve;
}

/** Connections to one upstream at a time, of all agents of this machine. */
const MOST_CONNECTIONS = 256;
/** Connections to whoever gives out identities of clouds. */
const MOST_FOR_IDENTITIES = 16;

/** The gateway of a worker: opens the ways to models. Disposing ends what its connections keep open. */
export interface ModelGateway extends Disposable {
  readonly open: OpenModelWay;
}

export function createModelGateway(parts: ModelGatewayParts): ModelGateway {
  const { hostEnv, resolve = resolveHere, folder } = parts;
  const dialling = { resolve, proxies: companyProxies(hostEnv) };
  const authorities = machineAuthorities(hostEnv);
  const agents = upstreamAgents(dialling, { authorities, most: MOST_CONNECTIONS });
  // Of their own: the clouds' libraries may end the connections of what they are given.
  const toIdentities = upstreamAgents(dialling, { authorities, most: MOST_FOR_IDENTITIES });
  const identityAt = cloudIdentities({ agentFor: (url) => toIdentities.for(url), clock: parts.clock });
  const prefix = socketPrefix(folder);
  let cleared: Promise<void> | undefined;
  return {
    async open(request) {
      const { endpoint } = request.entry;
      if (endpoint === undefined) return undefined;
      await (cleared ??= clearLeftFolders(prefix).catch(() => undefined));
      const ways = new AsyncDisposableStack();
      try {
        return await openWay({ ...parts, agents, identityAt, prefix, endpoint, request }, ways);
      } catch (error) {
        await ways.disposeAsync();
        throw cannotOpen(error);
      }
    },
    [Symbol.dispose]() {
      agents[Symbol.dispose]();
      toIdentities[Symbol.dispose]();
    },
  };
}

interface Opening extends ModelGatewayParts {
  readonly agents: UpstreamAgents;
  readonly identityAt: IdentityAt;
  readonly prefix: string;
  readonly endpoint: NonNullable<AgentEntry['endpoint']>;
  readonly request: ModelWayRequest;
}

async function openWay(opening: Opening, ways: AsyncDisposableStack): Promise<ModelWay> {
  const { endpoint, request, hostEnv, identityAt, agents, price, clock, ids, prefix } = opening;
  const wire = wireOf(endpoint.api);
  const token = newToken();
  const base = new URL(endpoint.baseUrl);
  const isStored = keysOf({ endpoint }).some(({ secret }) => secret !== undefined);
  const secrets = isStored ? ((await opening.secrets?.()) ?? {}) : {};
  const { server, untilTold } = modelProxy({
    wire,
    carrier: carrierOf(endpoint),
    base,
    token,
    models: endpoint.models,
    credentials: credentialsOf(wire, endpoint, { hostEnv, secrets, identityAt }),
    agentFor: (url) => agents.for(url),
    price,
    meter: request.meter,
    clock,
    ids,
  });
  // After its connections have ended, so that nothing is told once the way is closed.
  ways.defer(untilTold);
  const key = endpoint.key === undefined ? KEY_OF_THE_WAY : nameOfKey(endpoint.key);
  const wayTo = (port: number, bridges: ModelWay['bridges']): ModelWay => ({
    entry: { ...request.entry, endpoint: { api: endpoint.api, baseUrl: baseAt(base, port), key: { env: key } } },
    env: { [key]: token },
    bridges,
    [Symbol.asyncDispose]: () => ways.disposeAsync(),
  });
  const port = request.bridgedPort;
  if (port === undefined) return wayTo(await listenOnLoopback(server, ways), []);
  const folder = ways.use(await makeSocketFolder(prefix));
  const socket = join(folder.path, String(port));
  ways.use(await listen(server, socket));
  return wayTo(port, [{ port, socket }]);
}

/** The variable of an agent whose own endpoint wants no key. */
const KEY_OF_THE_WAY = 'SWITCHYARD_MODEL_TOKEN';

function baseAt({ pathname }: URL, port: number): string {
  return `http://127.0.0.1:${port}${pathname.replace(/\/+$/, '')}`;
}

async function listenOnLoopback(server: Server, ways: AsyncDisposableStack): Promise<number> {
  ways.use(await listen(server, { host: '127.0.0.1', port: 0 }));
  return (server.address() as AddressInfo).port;
}

function cannotOpen(error: unknown): SwitchyardError {
  if (error instanceof SwitchyardError) return error;
  return new SwitchyardError({
    code: 'gateway/cannot-open',
    message: `The way to the model cannot be opened: ${messageOf(error)}`,
    hint: 'Look whether the folder of Switchyard can be written to.',
    cause: error,
  });
}
