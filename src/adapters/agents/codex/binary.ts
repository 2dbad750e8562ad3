import { readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { AgentProgram } from '../../../ports/agent-program.ts';

/**
 * From npm, `codex` is a wrapper in JavaScript that starts a native program; that one is taken straight away where it can be found, since a
 * wrapper costs a start of Node and may keep signals to itself.
 */
export const codexProgram: AgentProgram = {
  name: 'codex',
  install: 'npm install --global @openai/codex',
  async behind(file, which) {
    if (!file.endsWith('.js')) return undefined;
    const platform = createRequire(file).resolve(`@openai/codex-${process.platform}-${process.arch}/package.json`);
    const vendor = join(dirname(platform), 'vendor');
    for (const target of await readdir(vendor)) {
      const program = await which(join(vendor, target, 'bin', 'codex'));
      if (program !== undefined) return [program];
    }
    return undefined;
  },
};
