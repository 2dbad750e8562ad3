import { readFile } from 'node:fs/promises';
import { isIP, type Server } from 'node:net';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { messageOf, SwitchyardError } from '../../lib/error.ts';
import type { Egress, EgressRules, OpenEgress } from '../../ports/egress.ts';
import { type AllowList, allowList } from './allow-list.ts';
import { companyProxies, type Environment } from './company-proxy.ts';
import { type DialParts, type Resolve, resolveHere } from './dial.ts';
import { forwardProxy } from './forward-proxy.ts';
import { type Destination, readAuthority } from './host-name.ts';
import { loopbackForward } from './loopback.ts';
import { type MachineRegistries, machineRegistries } from './machine-registries.ts';
import { npmProxy } from './npm-proxy.ts';
import type { NpmPlaces } from './npm-route.ts';
import { credentialFor, type NpmSettings } from './npmrc.ts';
import { programEnv } from './program-env.ts';
import { tellOnce } from './refusals.ts';
import { clearLeftFolders, listen, makeSocketFolder, socketPrefix } from './socket-folder.ts';
import { upstreamAgents } from './upstream-agents.ts';
import { WELL_KNOWN_REGISTRIES } from './well-known-registries.ts';

export interface EgressParts {
  /** Where the sockets are made, each egress's in a folder of its own for this user alone; another place is taken where paths were too long. */
  readonly folder: string;
  /** This machine's environment: its proxies, its registries, its user's HOME. None of its secrets goes within the walls. */
  readonly hostEnv: Environment;
  /** `host:port` of what this machine's own configuration names, such as a model's endpoint: where allowed, it may have a private address. */
  readonly trusted?: () => readonly string[];
  /** As this machine does it, if not given. */
  readonly resolve?: Resolve;
}

/** The ways out as this machine has them: a proxy, its npm registries, ports of its loopback. */
export function createEgress({ folder, hostEnv, trusted = () => [], resolve = resolveHere }: EgressParts): OpenEgress {
  const prefix = socketPrefix(folder);
  const dialParts: DialParts = { resolve, proxies: companyProxies(hostEnv) };
  let cleared: Promise<void> | undefined;
  return async (rules, onRefused) => {
    const ways = new AsyncDisposableStack();
    try {
      await (cleared ??= clearLeftFolders(prefix).catch(() => undefined));
      const own = trusted().flatMap((text) => readAuthority(text) ?? []);
      const opened = await open({ rules, own, prefix, hostEnv, dialParts, onRefused: tellOnce(onRefused) }, ways);
      return { ...opened, [Symbol.asyncDispose]: () => ways.disposeAsync() };
    } catch (error) {
      await ways.disposeAsync();
      throw cannotOpen(error);
    }
  };
}

interface Opening {
  readonly rules: EgressRules;
  readonly own: readonly Destination[];
  readonly prefix: string;
  readonly hostEnv: Environment;
  readonly dialParts: DialParts;
  readonly onRefused: (host: string) => void;
}

async function open(
  { rules, own, prefix, hostEnv, dialParts, onRefused }: Opening,
  ways: AsyncDisposableStack,
): Promise<Pick<Egress, 'bridges' | 'env'>> {
  const registries = rules.packages ? await machineRegistries(hostEnv) : undefined;
  const isAllowed = allowed(rules, own, registries);
  const folder = ways.use(await makeSocketFolder(prefix));
  const ports = new Ports(rules.loopback);
  const proxyPort = ports.take(3128);
  const servers: [number, Server][] = [[proxyPort, forwardProxy({ ...dialParts, isAllowed, onRefused })]];
  let npmPort: number | undefined;
  if (registries !== undefined && needsWay(registries.npm)) {
    const places = npmPlaces(registries.npm);
    const authorities = await authoritiesOf(registries.npm);
    npmPort = ports.take(4873);
    servers.push([
      npmPort,
      npmProxy(
        places,
        ways.use(upstreamAgents(dialParts, { ...verifiedBy(authorities), most: MOST_REGISTRY_CONNECTIONS })),
      ),
    ]);
  }
  for (const port of new Set(rules.loopback)) servers.push([port, loopbackForward(port)]);
  const bridges = await Promise.all(
    servers.map(async ([port, server]) => {
      const socket = join(folder.path, String(port));
      ways.use(await listen(server, socket));
      return { port, socket };
    }),
  );
  return { bridges, env: await programEnv({ proxyPort, npmPort, registries, hostEnv }) };
}

function allowed(
  rules: EgressRules,
  own: readonly Destination[],
  registries: MachineRegistries | undefined,
): AllowList {
  const places = registries?.places ?? [];
  const named = places.map(({ host, port }) => (isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`));
  const hosts = [...rules.hosts, ...(registries === undefined ? [] : [...WELL_KNOWN_REGISTRIES, ...named])];
  const list = allowList({ hosts, trusted: [...own, ...places] });
  if (typeof list === 'function') return list;
  throw new Error(`${JSON.stringify(list.unreadable)} is no host that could be allowed`);
}

/** Ports within the walls: the wanted one, or the next that nothing else has. */
class Ports {
  readonly #taken: Set<number>;

  constructor(taken: readonly number[]) {
    this.#taken = new Set(taken);
  }

  take(wanted: number): number {
    let port = wanted;
    while (this.#taken.has(port)) port += 1;
    this.#taken.add(port);
    return port;
  }
}

/** As many at a time as npm itself opens to a registry. */
const MOST_REGISTRY_CONNECTIONS = 15;

const NPMJS = new URL('https://registry.npmjs.org/');

function npmPlaces({ registry = NPMJS, scopes, credentials }: NpmSettings): NpmPlaces {
  return { registry, scopes, credentials };
}

/**
 * Whether programs can do with the forward proxy: not where a credential has to be added, where a registry lies on this machine's loopback,
 * nor where scopes have registries of their own, which not every shell hands on in the environment.
 */
function needsWay(npm: NpmSettings): boolean {
  const { registry } = npmPlaces(npm);
  return npm.scopes.size > 0 || credentialFor(npm, registry) !== undefined || isLoopback(registry);
}

function isLoopback({ hostname }: URL): boolean {
  return /^(localhost|127\.[\d.]+|\[::1\])$/.test(hostname);
}

/** A file that cannot be read leaves the usual authorities in force, as none. */
async function authoritiesOf({ cafile }: NpmSettings): Promise<string | undefined> {
  return cafile === undefined ? undefined : readFile(cafile, 'utf8').catch(() => undefined);
}

function verifiedBy(authorities: string | undefined) {
  if (authorities === undefined) return {};
  const context = createSecureContext({ ca: authorities });
  return { authorities: () => context };
}

function cannotOpen(error: unknown): SwitchyardError {
  return new SwitchyardError({
    code: 'egress/cannot-open',
    message: `The ways out of the sandbox cannot be opened: ${messageOf(error)}`,
    hint: 'Look at workspace.network of the run, and whether the folder of Switchyard can be written to.',
    cause: error,
  });
}
