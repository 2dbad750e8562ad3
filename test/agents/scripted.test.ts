import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { scriptedAgent } from '../../src/adapters/agents/scripted/index.ts';
import { AgentEntry } from '../../src/domain/agent-entry.ts';
import { type Act, agentContract, type PreparedAgent } from '../../src/testing/agent-contract.ts';
import { bestSandbox, untilThereIs } from './host.ts';

agentContract({
  title: 'scripted',
  adapter: scriptedAgent,
  sandbox: await bestSandbox(),
  prepare,
  lacks: {
    memory: 'it plays a script and knows no conversation',
    'reading prompts': 'it plays a script, whatever it is asked',
    usage: 'there is no model',
    model: 'there is none',
  },
});

async function prepare(turns: readonly (readonly Act[])[], folder: string): Promise<PreparedAgent> {
  const script = join(folder, 'script.yaml');
  const thinking = join(folder, 'thinking');
  const written = (act: Act): object[] => {
    if ('fail' in act) return [{ exit: 1 }];
    return 'hang' in act ? [{ run: `touch ${thinking}` }, act] : [act];
  };
  const steps = turns.map((acts) => acts.flatMap(written));
  await writeFile(script, stringify({ steps: { implement: steps } }));
  return {
    entry: AgentEntry.parse({ kind: 'scripted', script, env: { EXTRA: 'from the entry' } }),
    hostEnv: { PATH: process.env['PATH'] },
    prompts: () => Promise.resolve([]),
    thinking: () => untilThereIs(thinking),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
