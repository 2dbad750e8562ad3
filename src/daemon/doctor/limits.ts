import { readFile } from 'node:fs/promises';
import type { MachineConfig } from '../../config/machine.ts';
import { BUILT_IN_LIMITS } from '../../config/resolve.ts';
import { writtenKeys } from '../../config/written.ts';
import type { Budget } from '../../domain/budget.ts';
import type { LimitName } from '../../domain/limits.ts';
import { formatCount, formatDollars, formatDuration } from '../../domain/units.ts';
import { counted } from '../../lib/counted.ts';
import type { Home } from '../../lib/home.ts';
import type { DoctorRow } from './report.ts';

/** Which limits are in force, and whether config.yaml says so or nobody does. */
export async function limitRows(home: Home, { limits, defaults, budgets }: MachineConfig): Promise<DoctorRow[]> {
  const isWritten = writtenKeys(await readFile(home.config, 'utf8').catch(() => ''));
  const from = (...path: string[]) => (isWritten(...path) ? 'config.yaml' : 'built in');
  const providers = Object.entries(limits.perProvider).map(([name, most]) => `${most} of ${name} (config.yaml)`);
  const atOnce = [
    `${counted(limits.agents, 'agent')} (${from('limits', 'agents')})`,
    `${limits.perRepository} in one repository (${from('limits', 'perRepository')})`,
    ...providers,
  ];
  return [
    { level: 'info', name: 'at once', text: atOnce.join(', ') },
    { level: 'info', name: 'each run', text: boundsOf(defaults.limits) },
    { level: 'info', name: 'budgets', text: budgets.length === 0 ? NO_BUDGETS : budgets.map(budgetText).join('\n') },
    {
      level: 'info',
      name: 'defaults',
      text: `blueprint ${defaults.blueprint} (${from('defaults', 'blueprint')}), agent ${defaults.agent === undefined ? 'the only one (built in)' : `${defaults.agent} (config.yaml)`}`,
    },
  ];
}

const NO_BUDGETS = 'none: nothing bounds what several runs use of models together (docs/guides/usage-and-budgets.md)';

function budgetText({ name, per, each, cost, tokens }: Budget): string {
  const amounts = [
    ...(cost === undefined ? [] : [formatDollars(cost)]),
    ...(tokens === undefined ? [] : [`${formatCount(tokens)} tokens`]),
  ];
  const whose = per === 'everything' ? 'for everything' : `for each ${per}`;
  return `${amounts.join(' and ')} ${whose}${each === 'ever' ? '' : `, each ${each}`} (${name})`;
}

const SHOWN: Partial<Readonly<Record<LimitName, (amount: number) => string>>> = {
  wall: formatDuration,
  silence: formatDuration,
  cost: formatDollars,
};

/** A machine's limits bound everything that is committed; what is built in holds only where nobody says anything. */
function boundsOf(machine: MachineConfig['defaults']['limits']): string {
  const names = [...new Set([...Object.keys(BUILT_IN_LIMITS), ...Object.keys(machine)])] as LimitName[];
  const shown = names.map((name) => {
    const amount = machine[name] ?? BUILT_IN_LIMITS[name] ?? 0;
    const from = machine[name] === undefined ? 'built in' : 'config.yaml';
    return `${name} ${(SHOWN[name] ?? formatCount)(amount)} (${from})`;
  });
  return `${shown.join(', ')}\nNothing committed exceeds what config.yaml says; what is built in holds where nobody says anything.`;
}
