import { linesOf } from '../../lib/exec/lines.ts';
import { startProcess } from '../../lib/exec/start.ts';
import { printableLine } from '../../lib/printable.ts';

/** Runs the demo repository's tests as they are shipped, before any agent has been there; each as whether it passed and its name. */
export async function runShippedTests(repository: string): Promise<{ passed: boolean; name: string }[]> {
  const child = await startProcess({
    file: process.execPath,
    args: ['--test', '--test-reporter=tap'],
    cwd: repository,
    env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
  });
  child.stderr.resume();
  const results: { passed: boolean; name: string }[] = [];
  for await (const { text } of linesOf(child.stdout)) {
    const [, verdict, name] = /^(ok|not ok) \d+ - (.*)$/.exec(text) ?? [];
    if (name !== undefined) results.push({ passed: verdict === 'ok', name: printableLine(name) });
  }
  await child.ended;
  return results;
}
