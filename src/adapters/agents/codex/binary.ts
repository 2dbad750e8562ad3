import { readdir, realpath } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { SwitchyardError } from '../../../lib/error.ts';
import { type Which, whichOn } from '../../../lib/exec/which.ts';
import type { AgentTurn } from '../../../ports/agent.ts';

/**
 * The program and the arguments that the entry configures for it. From npm, `codex` is a wrapper in JavaScript that starts a native program;
 * that one is taken straight away where it can be found, since a wrapper costs a start of Node and may keep signals to itself.
 */
export async function findCodex({ entry, hostEnv }: AgentTurn): Promise<[string, ...string[]]> {
  const [name = 'codex', ...args] = entry.command ?? [];
  const which = whichOn(hostEnv['PATH']);
  const found = await which(name);
  if (found === undefined) {
    throw new SwitchyardError({
      code: 'agent/not-found',
      message: name.includes('/') ? `there is no executable file at ${name}` : `${name} is not on the PATH`,
      hint: 'Install it (npm install --global @openai/codex), or correct `command` in config.yaml.',
    });
  }
  return [(await nativeProgram(found, which)) ?? found, ...args];
}

async function nativeProgram(wrapper: string, which: Which): Promise<string | undefined> {
  const file = await realpath(wrapper);
  if (!file.endsWith('.js')) return undefined;
  try {
    const platform = createRequire(file).resolve(`@openai/codex-${process.platform}-${process.arch}/package.json`);
    const vendor = join(dirname(platform), 'vendor');
    for (const target of await readdir(vendor)) {
      const program = await which(join(vendor, target, 'bin', 'codex'));
      if (program !== undefined) return program;
    }
  } catch {
    // Installed in another way than we know: the wrapper will know better.
  }
  return undefined;
}
