import { fileURLToPath } from 'node:url';
import { firstLine } from '../../../lib/exec/first-line.ts';
import { startProcess } from '../../../lib/exec/start.ts';
import { keepTail } from '../../../lib/exec/tail.ts';
import type { Bridge } from '../../../ports/sandbox.ts';

/**
 * Opens the bridges in the network of a container, by its first process. Neither sockets nor programs for it need be in the image: a
 * program of ours joins the container's network from outside. It lives until disposed, and never longer than this process.
 */
export async function openBridges(
  { nsenter, init }: { nsenter: string; init: number },
  bridges: readonly Bridge[],
): Promise<AsyncDisposable> {
  // Whoever is not root may enter the network only as the root of the user namespace that it belongs to.
  const asUser = process.geteuid?.() === 0 ? [] : ['--user', '--preserve-credentials'];
  const program = [process.execPath, fileURLToPath(new URL(`bridge${extension()}`, import.meta.url))];
  const args = ['--target', `${init}`, ...asUser, '--net', '--', ...program, JSON.stringify(bridges)];
  const started = await startProcess({ file: nsenter, args, cwd: '/', env: {}, statusPipe: true, gate: true });
  started.stdout.resume();
  const errors = keepTail(started.stderr);
  const word = started.status && (await firstLine(started.status));
  if (word !== 'ready') {
    await started.closed;
    throw new Error(`the container's network cannot be entered: ${errors.text().trim()}`);
  }
  return {
    async [Symbol.asyncDispose]() {
      started.gate?.destroy();
      await started.ended;
    },
  };
}

/** `.ts` in a checkout, `.js` in the package. */
function extension(): string {
  return import.meta.url.slice(import.meta.url.lastIndexOf('.'));
}
