#!/usr/bin/env node
// Plain JavaScript, so that a Node of any age can read it. Finds a Node that is new enough, then starts the command line.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module, { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const WANTED = 24;
const root = dirname(dirname(fileURLToPath(import.meta.url)));

if (Number.parseInt(process.versions.node, 10) >= WANTED) {
  module.enableCompileCache?.();
  // A checkout has src/ and needs no build; the package has only dist/.
  const entry = existsSync(join(root, 'src', 'cli', 'main.ts')) ? 'src/cli/main.ts' : 'dist/cli/main.js';
  const { main } = await import(join(root, entry));
  process.exitCode = await main(process.argv.slice(2));
} else {
  const node = newerNode();
  if (node === undefined) {
    process.stderr.write(
      `switchyard needs Node ${WANTED} or newer; this is ${process.versions.node}. Install it from https://nodejs.org\n`,
    );
    process.exit(69);
  }
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => signal !== 'SIGINT' && child.kill(signal));
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 143)));
}

/** The binary of the npm package `node`, when it is installed beside this package and new enough. */
function newerNode() {
  try {
    const require = createRequire(import.meta.url);
    const manifest = require.resolve('node/package.json');
    if (Number.parseInt(require(manifest).version, 10) < WANTED) return undefined;
    const binary = join(dirname(manifest), 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
    return existsSync(binary) ? binary : undefined;
  } catch {
    return undefined; // not installed: the caller says what is needed
  }
}
