import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isWithin } from '../../../lib/is-within.ts';

/** What is never shown because it happens to lie beside a program. */
export interface Bounds {
  /** The HOME of the user who runs the harness. */
  readonly home: string;
  /** The harness's own folders, and whatever else must not be seen. */
  readonly never: readonly string[];
}

/** Whether the path may be shown: it neither holds nor lies in what is never shown. */
export function mayBeShown(path: string, { home, never }: Bounds): boolean {
  const secrets = SECRETS.map((name) => join(home, name));
  return ![...never, ...secrets].some((secret) => isWithin(path, secret) || isWithin(secret, path));
}

/** Whether a folder is too much of the machine, or of a person's own, to be shown for the `bin` in it. */
export function isTooMuch(folder: string, { home }: Bounds): boolean {
  const isTopLevel = folder.lastIndexOf('/') === 0;
  return isTopLevel || isWithin(home, folder) || COMMON_FOLDERS.includes(folder) || folder === join(home, '.local');
}

const COMMON_FOLDERS = [tmpdir(), '/var/tmp', '/var/lib', '/dev/shm'];

/** Where programs keep keys and logins in a HOME. */
const SECRETS = `
  .ssh .gnupg .aws .azure .kube .docker .netrc .npmrc .pypirc .git-credentials .pgpass .my.cnf .password-store .vault-token .terraform.d
  .config/gcloud .config/gh .config/op .config/containers .config/google-chrome .config/chromium .mozilla .local/share/keyrings
  .cargo/credentials .cargo/credentials.toml .gem/credentials .m2/settings.xml .gradle/gradle.properties .claude.json
  .claude/.credentials.json .codex/auth.json .gemini/oauth_creds.json .pi/agent/auth.json .local/share/opencode/auth.json`
  .trim()
  .split(/\s+/);
