import { percentDecoded } from '../../lib/percent-decoded.ts';

/** Where a repository's LFS contents are asked for. */
export interface LfsEndpoint {
  /** Without user and password. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * The server of a repository: what the person has configured, else what the commit's `.lfsconfig` says (https only), else what belongs to
 * the remote. User and password are used where the address has them; nothing else is. Undefined where there is none to ask.
 */
export function lfsEndpoint({
  configured,
  committed,
  remote,
}: {
  configured: string | undefined;
  committed: string | undefined;
  remote: string | undefined;
}): LfsEndpoint | undefined {
  if (configured !== undefined) return endpoint(configured, /^https?:$/);
  if (committed !== undefined) return endpoint(committed, /^https:$/);
  return remote === undefined ? undefined : endpoint(ofRemote(remote), /^https?:$/);
}

function ofRemote(remote: string): string {
  const scp = /^(?:[\w.+-]+@)?([A-Za-z0-9][A-Za-z0-9.-]*):(?!\/\/)(.+)$/.exec(remote);
  const ssh = /^ssh:\/\/(?:[^@/]+@)?([^:/]+)(?::\d+)?\/(.+)$/.exec(remote);
  const [, host, path] = scp ?? ssh ?? [];
  const web = host === undefined || path === undefined ? remote : `https://${host}/${path.replace(/^\//, '')}`;
  const plain = web.replace(/\/+$/, '');
  return `${plain.endsWith('.git') ? plain : `${plain}.git`}/info/lfs`;
}

function endpoint(text: string, protocols: RegExp): LfsEndpoint | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  if (!protocols.test(url.protocol)) return undefined;
  const [user, password] = [percentDecoded(url.username), percentDecoded(url.password)];
  url.username = '';
  url.password = '';
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  return { url: url.href.replace(/\/+$/, ''), headers: user === '' ? {} : { authorization } };
}
