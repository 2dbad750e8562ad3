import { counted } from '../../lib/counted.ts';
import { printableLine } from '../../lib/printable.ts';
import { paint, type Style } from './style.ts';
import { wrap } from './width.ts';

/** What `doctor --fix` found and did. */
export interface ClearedAway {
  readonly ok: boolean;
  readonly dryRun: boolean;
  readonly notes: readonly string[];
  readonly leftovers: readonly {
    readonly what: string;
    readonly proof: string;
    readonly outcome: 'removed' | 'would-remove' | 'kept';
    readonly why?: string;
  }[];
}

const SAID = { removed: 'removed', 'would-remove': 'would remove', kept: 'kept' } as const;

export function leftoverLines({ ok, dryRun, notes, leftovers }: ClearedAway, style: Style): string[] {
  const lines = leftovers.flatMap(({ what, proof, outcome, why }) => {
    const symbol =
      outcome === 'kept' ? paint(style, 'red', '✗') : paint(style, 'green', outcome === 'removed' ? '✓' : '•');
    const [first = '', ...more] = wrap(`${SAID[outcome]} ${printableLine(what)}`, style.width - 2);
    const because = [`because ${printableLine(proof)}`, ...(why === undefined ? [] : [`but ${printableLine(why)}`])];
    return [
      `${symbol} ${first}`,
      ...more.map((line) => `  ${line}`),
      ...because.flatMap((line) => wrap(`    ${line}`, style.width)).map((line) => paint(style, 'dim', line)),
    ];
  });
  const said = notes.flatMap((note) => wrap(`${printableLine(note)}.`, style.width));
  const kept = leftovers.filter(({ outcome }) => outcome === 'kept').length;
  return [...lines, ...said, verdict()];

  function verdict(): string {
    if (leftovers.length === 0) return paint(style, 'green', 'Nothing is left of dead processes.');
    if (dryRun) return `${counted(leftovers.length, 'leftover')}; \`switchyard doctor --fix\` clears them away.`;
    return ok
      ? paint(style, 'green', `${counted(leftovers.length, 'leftover')} cleared away.`)
      : paint(style, 'red', `${kept} of ${counted(leftovers.length, 'leftover')} kept.`);
  }
}
