import type { Agent as HttpsAgent } from 'node:https';
import type { defaultProvider } from '@aws-sdk/credential-provider-node';
import { SwitchyardError } from '../../../lib/error.ts';
import type { Credential, UnsignedRequest } from '../credential.ts';
import type { IdentityParts } from './identities.ts';

/** What AWS signs with, as its own libraries find it. */
type Keys = Awaited<ReturnType<ReturnType<typeof defaultProvider>>>;

/**
 * This machine's identity of AWS, of that profile where one is named: environment, profile, single sign-on, a process, a container's or an instance's role, in
 * the order in which AWS's own libraries look, by the environment of this process. They renew it. Their requests go through this machine's proxies, except to
 * the addresses within the machine that containers and instances ask. It is looked for with the first request, not before.
 */
export function awsIdentity(
  { region, profile }: { region: string; profile: string | undefined },
  { agentFor, clock }: IdentityParts,
): Credential {
  let find: (() => Promise<Keys>) | undefined;
  const called = profile === undefined ? 'this machine’s identity of AWS' : `the AWS profile ${profile}`;

  const prepare = async (): Promise<() => Promise<Keys>> => {
    const library = await import('@aws-sdk/credential-provider-node');
    const httpsAgent = agentFor(new URL('https://sts.amazonaws.com')) as HttpsAgent;
    return library.defaultProvider({
      ...(profile === undefined ? {} : { profile }),
      // Files may have changed since they were last read.
      ignoreCache: true,
      clientConfig: { region, requestHandler: { httpsAgent } },
    });
  };
  const keys = async (): Promise<Keys> => {
    try {
      return await (find ??= await prepare())();
    } catch {
      // What the libraries say may hold the command, or the answer, that an identity comes from.
      throw new SwitchyardError({
        code: 'agent/no-key',
        message: `There is nothing to sign in to AWS with: ${called} cannot be found, or has expired.`,
        hint: `Run \`aws sts get-caller-identity${profile === undefined ? '' : ` --profile ${profile}`}\` where the daemon runs; with single sign-on, \`aws sso login\`.`,
      });
    }
  };
  return {
    name: profile === undefined ? 'aws' : `aws:${profile}`,
    called,
    authorize: async (request) => signed(request, { keys: await keys(), region, now: clock.now() }),
    async renew() {
      const before = await keys();
      find = undefined;
      const after = await keys();
      return after.accessKeyId !== before.accessKeyId || after.sessionToken !== before.sessionToken;
    },
  };
}

/** The headers of a signature over the address, the body and what the body is. */
async function signed(
  { method, url, headers, body }: UnsignedRequest,
  { keys, region, now }: { keys: Keys; region: string; now: number },
): Promise<Readonly<Record<string, string>>> {
  const [{ SignatureV4 }, { Sha256 }] = await Promise.all([
    import('@smithy/signature-v4'),
    import('@smithy/core/checksum'),
  ]);
  const signer = new SignatureV4({ service: 'bedrock', region, credentials: keys, sha256: Sha256 });
  const contentType = headers['content-type'];
  const own = { host: url.host, ...(typeof contentType === 'string' ? { 'content-type': contentType } : {}) };
  const request = await signer.sign(
    {
      method,
      protocol: url.protocol,
      hostname: url.hostname,
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: own,
      body,
    },
    { signingDate: new Date(now) },
  );
  return request.headers;
}
