import type { GoogleAuth } from 'google-auth-library';
import { SwitchyardError } from '../../../lib/error.ts';
import type { Credential } from '../credential.ts';
import type { IdentityParts } from './identities.ts';

const SCOPE = 'https://www.googleapis.com/auth/cloud-platform';

/**
 * Google's application default credentials of this machine: the file that `GOOGLE_APPLICATION_CREDENTIALS` of this process names, the one that `gcloud auth
 * application-default login` has written, or the service account that the machine runs as. Google's own library finds and renews them. Its requests go through
 * this machine's proxies. They are looked for with the first request, not before.
 */
export function googleIdentity(projectId: string, { agentFor }: IdentityParts): Credential {
  let auth: GoogleAuth | undefined;
  const called = 'Google’s application default credentials';

  const prepare = async (): Promise<GoogleAuth> => {
    const library = await import('google-auth-library');
    // It would ask Google which project this is.
    return new library.GoogleAuth({
      scopes: SCOPE,
      projectId,
      clientOptions: { transporterOptions: { agent: agentFor } },
    });
  };
  const headersFor = async (url: URL): Promise<Record<string, string>> => {
    try {
      auth ??= await prepare();
      return Object.fromEntries(await auth.getRequestHeaders(url));
    } catch {
      // What was not found is looked for anew the next time. What the library says may hold parts of requests.
      auth = undefined;
      throw new SwitchyardError({
        code: 'agent/no-key',
        message: `There is nothing to sign in to Google with: ${called} cannot be found, or are not valid any more.`,
        hint: 'Run `gcloud auth application-default login` as the user that the daemon runs as, or name a file in GOOGLE_APPLICATION_CREDENTIALS where it is started.',
      });
    }
  };
  return {
    name: 'google',
    called,
    authorize: ({ url }) => headersFor(url),
    async renew() {
      const url = new URL('https://aiplatform.googleapis.com');
      const before = await headersFor(url);
      auth = undefined;
      const after = await headersFor(url);
      return after['authorization'] !== before['authorization'];
    },
  };
}
