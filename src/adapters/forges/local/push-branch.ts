import { git, runGit, splitNul } from '../../../lib/git/git.ts';

/** Long enough for a slow line, short enough to end when a server asks questions that nobody answers. */
const LIMIT_MS = 120_000;

export type Pushed = { readonly kind: 'pushed' } | { readonly kind: 'refused'; readonly message: string };

/** Pushes a branch to where the person's configuration says, or to the only remote there is, under the name that it has there. */
export async function pushBranch(gitDir: string, branch: string): Promise<Pushed> {
  const settings = await configuration(gitDir);
  const remote = remoteFor(branch, settings);
  if (remote === undefined)
    return { kind: 'refused', message: `There is no remote to push ${branch} to: git remote add origin URL` };
  const upstream =
    settings.get(`branch.${branch}.remote`) === remote ? settings.get(`branch.${branch}.merge`) : undefined;
  const ref = `refs/heads/${branch}`;
  const signal = AbortSignal.timeout(LIMIT_MS);
  try {
    const args = ['push', '--quiet', '--no-recurse-submodules', '--', remote, `${ref}:${upstream ?? ref}`];
    const { code, stderr } = await runGit(args, { gitDir, flavour: 'user', signal });
    return code === 0 ? { kind: 'pushed' } : { kind: 'refused', message: stderr.trim().slice(-2000) };
  } catch (error) {
    if (!signal.aborted) throw error;
    return { kind: 'refused', message: `${remote} did not answer within ${LIMIT_MS / 1000} seconds.` };
  }
}

function remoteFor(branch: string, settings: ReadonlyMap<string, string>): string | undefined {
  const named = [
    settings.get(`branch.${branch}.pushremote`),
    settings.get('remote.pushdefault'),
    settings.get(`branch.${branch}.remote`),
  ].find((remote) => remote !== undefined && remote !== '.');
  const remotes = [...settings.keys()].flatMap((key) => /^remote\.(.+)\.url$/s.exec(key)?.[1] ?? []);
  return named ?? remotes.find((remote) => remote === 'origin') ?? (remotes.length === 1 ? remotes[0] : undefined);
}

/** All settings in force, the last of several; git writes first and last parts of a key in small letters. */
async function configuration(gitDir: string): Promise<Map<string, string>> {
  const entries = splitNul(await git(['config', '-z', '--list'], { gitDir, flavour: 'user' }));
  return new Map(entries.map((entry) => [entry.split('\n', 1)[0] ?? '', entry.slice(entry.indexOf('\n') + 1)]));
}
