import { posix } from 'node:path';
import { isThere } from '../../lib/is-there.ts';
import type { Environment } from './company-proxy.ts';
import type { MachineRegistries } from './machine-registries.ts';

export interface ProgramEnvParts {
  readonly proxyPort: number;
  /** Where the npm proxy is found, if there is one. */
  readonly npmPort: number | undefined;
  /** Undefined where packages are not to be reached. */
  readonly registries: MachineRegistries | undefined;
  readonly hostEnv: Environment;
}

/** What tells programs within the walls of the ways out. */
export async function programEnv({
  proxyPort,
  npmPort,
  registries,
  hostEnv,
}: ProgramEnvParts): Promise<Record<string, string>> {
  return {
    ...proxyEnv(`http://127.0.0.1:${proxyPort}`),
    ...registries?.env,
    ...(registries === undefined ? {} : npmEnv(registries, npmPort)),
    ...(await certificateEnv(hostEnv)),
  };
}

const DIRECT = 'localhost,127.0.0.1,::1';

/** `ALL_PROXY` is left out: some programs take it for other protocols than HTTP, which the proxy does not speak. */
function proxyEnv(proxy: string): Record<string, string> {
  return {
    HTTP_PROXY: proxy,
    HTTPS_PROXY: proxy,
    http_proxy: proxy,
    https_proxy: proxy,
    NO_PROXY: DIRECT,
    no_proxy: DIRECT,
    NODE_USE_ENV_PROXY: '1',
    // These heed settings of their own, which a repository may have set otherwise.
    npm_config_proxy: proxy,
    npm_config_https_proxy: proxy,
    npm_config_noproxy: DIRECT,
    YARN_HTTP_PROXY: proxy,
    YARN_HTTPS_PROXY: proxy,
    PIP_PROXY: proxy,
    CARGO_HTTP_PROXY: proxy,
  };
}

function npmEnv({ npm: { registry, scopes } }: MachineRegistries, port: number | undefined): Record<string, string> {
  if (port === undefined) return registry === undefined ? {} : { npm_config_registry: registry.href };
  const seen = `http://127.0.0.1:${port}/`;
  return {
    npm_config_registry: seen,
    ...Object.fromEntries([...scopes.keys()].map((scope) => [`npm_config_${scope}:registry`, seen])),
    npm_config_replace_registry_host: 'always',
    // Else lock files would name a port that nobody else has.
    npm_config_omit_lockfile_registry_resolved: 'true',
  };
}

const CERTIFICATES = [
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'NODE_EXTRA_CA_CERTS',
  'REQUESTS_CA_BUNDLE',
  'CURL_CA_BUNDLE',
  'GIT_SSL_CAINFO',
  'PIP_CERT',
  'CARGO_HTTP_CAINFO',
];

/** What is part of the system, which programs see at its own place within all walls. */
const SYSTEM = /^\/(usr|etc\/ssl|etc\/pki|etc\/ca-certificates)\//;

async function certificateEnv(hostEnv: Environment): Promise<Record<string, string>> {
  const found = await Promise.all(
    CERTIFICATES.map(async (name): Promise<[string, string][]> => {
      const path = hostEnv[name];
      if (path === undefined || !SYSTEM.test(path) || posix.normalize(path) !== path) return [];
      return (await isThere(path)) ? [[name, path]] : [];
    }),
  );
  return Object.fromEntries(found.flat());
}
