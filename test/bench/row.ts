/** One figure of a bench. `floor` is what the same work costs without Switchyard, measured in the same run; `budget` what it may cost. */
export interface Row {
  readonly name: string;
  readonly unit: string;
  readonly n: number;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly floor?: number;
  readonly budget?: number;
}

export interface BenchOptions {
  readonly small: boolean;
  /** Shows a row at once, for a bench that takes long, so that one that is cut off leaves something. It returns all rows all the same. */
  readonly tell: (row: Row) => void;
  /**
   * Aborted by SIGTERM and SIGINT, from the first call on: a bench that asks clears away what it has made, and rejects. Others end at once.
   */
  readonly untilStopped: () => AbortSignal;
}

export type Bench = (options: BenchOptions) => Promise<Row[]>;

export function rowOf(
  name: string,
  unit: string,
  samples: readonly number[],
  more: { floor?: number; budget?: number } = {},
): Row {
  return {
    name,
    unit,
    n: samples.length,
    median: round(median(samples)),
    min: round(Math.min(...samples)),
    max: round(Math.max(...samples)),
    ...more,
  };
}

export function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

export function round(value: number): number {
  return Math.round(value * 10) / 10;
}
