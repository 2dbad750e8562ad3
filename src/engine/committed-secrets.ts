import { git } from '../lib/git/git.ts';
import { listed } from '../lib/listed.ts';
import type { Redact } from '../lib/redact.ts';

/** Larger files are not looked into. */
const LARGEST_FILE = '1m';

/**
 * What a person must know of commits that hold values of secrets, in their files, their messages or the names of files; undefined where none
 * does. Commits are the agent's word and are not changed.
 */
export async function noteOnCommitted(
  { store, redact }: { store: string; redact: Redact },
  { from, to }: { from: string; to: string },
): Promise<string | undefined> {
  if (from === to || !redact.isNeeded()) return undefined;
  const format = ['--format=%an%n%ae%n%B', '-p', '-U0', '--no-ext-diff', '--no-textconv', '--no-color', '--no-renames'];
  const said = await git(['-c', `core.bigFileThreshold=${LARGEST_FILE}`, 'log', ...format, `${from}..${to}`, '--'], {
    gitDir: store,
  });
  const text = said.toString('utf8');
  const names = namesIn(redact(text)).difference(namesIn(text));
  if (names.size === 0) return undefined;
  const them = names.size === 1 ? 'the secret' : 'the secrets';
  return `Commits of this step hold the value of ${them} ${listed([...names])}. They stay as they are: do not hand them on, and change ${them}.`;
}

function namesIn(text: string): Set<string> {
  return new Set(Array.from(text.matchAll(/\[secret (\w+)\]/g), ([, name = '']) => name));
}
