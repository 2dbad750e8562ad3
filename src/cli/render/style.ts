import { styleText } from 'node:util';
import type { Output } from '../context.ts';

/** How lines are drawn on one stream: pure functions get this instead of the stream. */
export interface Style {
  readonly colours: boolean;
  /** Columns; infinite where nobody counts them. */
  readonly width: number;
  /** Whether a line may be taken back and drawn again. */
  readonly redraws: boolean;
}

export const PLAIN: Style = { colours: false, width: Number.POSITIVE_INFINITY, redraws: false };

export function styleOf(output: Output, env: Readonly<Record<string, string | undefined>>): Style {
  if (output.isTTY !== true) return PLAIN;
  const redraws = env['TERM'] !== 'dumb';
  return { colours: redraws && (env['NO_COLOR'] ?? '') === '', width: columnsOf(output), redraws };
}

/** Of a terminal that says it has no columns, as many as most have. */
export function columnsOf({ columns }: Pick<Output, 'columns'>, unknown = 80): number {
  if (columns === undefined) return unknown;
  return columns > 0 ? columns : 80;
}

export type Colour = 'red' | 'green' | 'yellow' | 'cyan' | 'dim' | 'bold';

export function paint(style: Style, colour: Colour, text: string): string {
  return style.colours && text !== '' ? styleText(colour, text, { validateStream: false }) : text;
}
