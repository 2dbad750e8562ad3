import type { AgentEntry } from '../domain/agent-entry.ts';
import { percentDecoded } from '../lib/percent-decoded.ts';
import type { NamedSecret } from '../lib/redact.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The keys of agents, which their entries name as variables of this environment, and those that clouds are signed in to with. */
export function keysOfAgents(agents: Readonly<Record<string, AgentEntry>>, env: Environment): NamedSecret[] {
  const names = Object.values(agents).flatMap(({ endpoint }) => [
    ...[endpoint?.key, ...(endpoint?.spareKeys ?? [])].flatMap((key) => key?.env ?? []),
    ...(endpoint?.cloud?.kind === 'bedrock' ? OF_AWS : []),
  ]);
  return [...new Set(names)].flatMap((name) => valueOf(env, name));
}

const OF_AWS = ['AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'];

/** Variables that hold addresses, of proxies and of the database. */
const ADDRESSES = ['http_proxy', 'https_proxy', 'all_proxy', 'ftp_proxy'];

/** Passwords in the addresses of proxies and of the database; with the user where the password alone is short. */
export function credentialsInAddresses(env: Environment): NamedSecret[] {
  const names = [...ADDRESSES, ...ADDRESSES.map((name) => name.toUpperCase()), 'DATABASE_URL'];
  return names.flatMap((name) => valueOf(env, name)).flatMap(({ name, value }) => passwordIn(name, value));
}

function passwordIn(name: string, address: string): NamedSecret[] {
  const url = URL.parse(/^[a-z0-9+.-]+:\/\//i.test(address) ? address : `http://${address}`);
  if (url === null || url.password === '') return [];
  const [user, password] = [url.username, url.password];
  const plain = [percentDecoded(user), percentDecoded(password)] as const;
  return [...new Set([password, plain[1], `${user}:${password}`, plain.join(':')])].map((value) => ({ name, value }));
}

function valueOf(env: Environment, name: string): NamedSecret[] {
  const value = env[name];
  return value === undefined || value === '' ? [] : [{ name, value }];
}
