import { createHash } from 'node:crypto';
import { basename, dirname } from 'node:path';

/** A name for a repository that people recognise and that no two repositories of a machine share. */
export function repositoryId(commonDir: string): string {
  const name = basename(commonDir) === '.git' ? basename(dirname(commonDir)) : basename(commonDir, '.git');
  const slug = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
    .slice(0, 40);
  const digest = createHash('sha256').update(commonDir).digest('hex').slice(0, 8);
  return `${slug === '' ? 'repository' : slug}-${digest}`;
}
