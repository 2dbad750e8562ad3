import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { noneSandbox } from '../../src/adapters/sandboxes/none/index.ts';
import { probePid } from '../../src/adapters/sandboxes/pid/index.ts';
import { whichOn } from '../../src/lib/exec/which.ts';
import { waitUntil } from '../../src/lib/wait-until.ts';
import { BARE_ENCLOSURE, type Sandbox } from '../../src/ports/sandbox.ts';

/** The best sandbox that this machine has, as a daemon would choose it. */
export async function bestSandbox(): Promise<Sandbox> {
  const probed = await probePid(whichOn(process.env['PATH']));
  return 'missing' in probed ? noneSandbox : probed.enclose(BARE_ENCLOSURE);
}

export async function untilThereIs(file: string): Promise<void> {
  await waitUntil(() => existsSync(file), { timeoutMs: 30_000, everyMs: 5, what: file });
}

/** A PATH on which the agents are that this project has installed for its tests. */
export const installed = `${fileURLToPath(new URL('../../node_modules/.bin', import.meta.url))}:${process.env['PATH']}`;

/** The version of such an agent's package. */
export async function versionOf(name: string): Promise<string> {
  const manifest = new URL(`../../node_modules/${name}/package.json`, import.meta.url);
  return (JSON.parse(await readFile(manifest, 'utf8')) as { version: string }).version;
}
