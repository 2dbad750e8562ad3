import { formatBytes } from '../domain/units.ts';
import type { Breach } from '../ports/sandbox.ts';

/** What happened, and where the figure stands that a person may raise. */
export function breachText({ limit, max }: Pick<Breach, 'limit' | 'max'>): string {
  const where = `It is \`resources.${limit}\` in config.yaml of SWITCHYARD_HOME, and holds for runs that start from then on.`;
  switch (limit) {
    case 'memory':
      return `A program of the step wanted more memory than the ${formatBytes(max)} that all of them may use. ${where}`;
    case 'disk':
      return `The run's workspace has come to more than ${formatBytes(max)} on the disk. ${where}`;
    case 'processes':
      return `The step wanted more than ${max} processes and threads at once. ${where}`;
    case 'cpus':
      return `The step used more than ${max} cores. ${where}`;
    case 'openFiles':
      return `A program of the step wanted more than ${max} files open at once. ${where}`;
  }
}
