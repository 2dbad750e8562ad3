import { userIdentity } from '../lib/git/repository.ts';
import type { CommitIdentity } from '../ports/workspace.ts';

/** Who stands as author of what a person does or asks for in a repository: who they are to git there, else their name on this machine. */
export async function identityOf(path: string, person: string): Promise<CommitIdentity> {
  const { name, email } = await userIdentity(path);
  return { name: name ?? person, email: email ?? `${person.replace(/[^A-Za-z0-9._-]+/g, '-')}@localhost` };
}
