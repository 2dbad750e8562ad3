/** One differing path in git's raw format. `path` holds one character per byte, so that no name is ever lost in decoding. */
export interface RawDifference {
  readonly path: string;
  /** The mode after; `000000` where the path is gone. */
  readonly mode: string;
}

/** Reads `:mode mode id id status NUL path NUL …`. */
export function parseRawDifferences(output: Buffer): RawDifference[] {
  const fields = output.toString('latin1').split('\0');
  const differences: RawDifference[] = [];
  for (let n = 0; n + 1 < fields.length; n += 2) {
    differences.push({ mode: (fields[n] ?? '').slice(8, 14), path: fields[n + 1] ?? '' });
  }
  return differences;
}

/** A path of bytes as people read it. */
export function readable(path: string): string {
  return Buffer.from(path, 'latin1').toString();
}

/** A path of bytes in the form that a shell's `printf %b` turns back into them. */
export function escapedBytes(path: string): string {
  return path.replaceAll(/[^A-Za-z0-9_./-]/g, (byte) => `\\0${byte.charCodeAt(0).toString(8).padStart(3, '0')}`);
}
