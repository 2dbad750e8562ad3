import { readFile } from 'node:fs/promises';
import { formatProblem } from '../blueprint/problem.ts';
import { loadMachineConfig, MachineConfig } from '../config/machine.ts';
import { SwitchyardError } from '../lib/error.ts';
import type { Home } from '../lib/home.ts';

/** The machine's configuration, which its owner may change while the daemon runs. */
export interface MachineSettings {
  /** As last read. */
  readonly current: MachineConfig;
  /** Reads the file again; rejects with `config/invalid`, naming every problem, and keeps what was. */
  reload(): Promise<MachineConfig>;
}

/** `onRead` is told of each configuration that comes to be in force. */
export function openMachineSettings(
  home: Home,
  onRead: (config: MachineConfig) => void = () => undefined,
): MachineSettings {
  let current = MachineConfig.parse({});
  let lastText: string | undefined;
  return {
    get current() {
      return current;
    },
    async reload() {
      const text = await textOf(home.config);
      if (text !== undefined && text === lastText) return current;
      const loaded = loadMachineConfig(text, home.config);
      if (!loaded.ok) {
        throw new SwitchyardError({
          code: 'config/invalid',
          message: loaded.problems.map(formatProblem).join('\n'),
          hint: `Mend ${home.config}, then try again.`,
        });
      }
      lastText = text;
      current = loaded.value;
      onRead(current);
      return current;
    },
  };
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
