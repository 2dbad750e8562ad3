import type { Transition } from '../blueprint/advance.ts';
import type { Needs, Reason } from '../domain/run.ts';
import { counted } from '../lib/counted.ts';

/** What every park offers. */
export const PARK_CHOICES: readonly string[] = ['retry', 'abandoned'];

/** Why a run parks by its blueprint alone, in the words that a person is told. */
export function parkedBy(
  { reason, node }: Extract<Transition, { kind: 'park' }>,
  head: string,
): { reason: Reason; needs: Needs; node: string } {
  const because = (kind: Needs['kind'], code: string, message: string) => ({
    reason: { code, message },
    needs: { kind, choices: [...PARK_CHOICES], head },
    node,
  });
  switch (reason.kind) {
    case 'exhausted': {
      const { amount } = reason.bound;
      return because('limit', 'limit/max', `${node} has had its ${counted(amount, 'step')} (max).`);
    }
    case 'steps': {
      const { amount } = reason.bound;
      return because('limit', 'limit/steps', `The run has taken its ${counted(amount, 'step')} (limit steps).`);
    }
    case 'edge':
      return because('error', `outcome/${reason.outcome}`, reason.detail ?? `${node} ended in ${reason.outcome}.`);
  }
}
