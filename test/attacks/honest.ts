import { plainGit } from '../../src/testing/temp-repository.ts';
import type { Twin } from './attack.ts';
import { type Stage, TEXT } from './stage.ts';

/** Its own git works for an agent, and what it commits becomes the run's. */
export const COMMITS: Twin = { name: 'uses its own git, and its commit is collected', works: commitIsCollected };

export async function commitIsCollected(stage: Stage): Promise<void> {
  const said = await stage.agent(
    'echo more >>README.md && git status --short && git add -A && git diff --cached --stat && git commit -qm "Say more" && git log -1 --format=%s',
  );
  if (said.code !== 0 || !said.output.includes('Say more')) throw new Error(`its git does not work: ${said.output}`);
  const { head, notes } = await stage.workspace.collect(TEXT);
  const subject = await plainGit(stage.store.path, 'log', '-1', '--format=%s', head);
  if (subject !== 'Say more' || notes.length > 0)
    throw new Error(`what was collected is ${subject}: ${notes.join(' ')}`);
}
