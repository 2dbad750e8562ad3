import { isWithin } from '../../../lib/is-within.ts';

/** One thing in the file system that programs see. */
export type Part =
  /** A file or folder of the host, with all that is mounted below it. An optional one is left out when it is not there. */
  | {
      readonly kind: 'show';
      readonly host: string;
      readonly inside: string;
      readonly writable: boolean;
      readonly optional?: boolean;
    }
  | { readonly kind: 'link'; readonly inside: string; readonly target: string };

/** A file or folder that is read at its own place. */
export function readOnly(path: string): Part {
  return { kind: 'show', host: path, inside: path, writable: false, optional: true };
}

export function argumentsOf(part: Part): string[] {
  switch (part.kind) {
    case 'show':
      return [`--${part.writable ? '' : 'ro-'}bind${part.optional === true ? '-try' : ''}`, part.host, part.inside];
    case 'link':
      return ['--symlink', part.target, part.inside];
  }
}

/** Without those that an earlier one shows already. */
export function distinct(parts: readonly Part[]): Part[] {
  const kept: Part[] = [];
  for (const part of parts) {
    if (!kept.some((earlier) => covers(earlier, part))) kept.push(part);
  }
  return kept;
}

function covers(earlier: Part, part: Part): boolean {
  if (earlier.inside === part.inside) return true;
  return earlier.kind === 'show' && earlier.host === earlier.inside && isWithin(part.inside, earlier.inside);
}

/** Whether a path is the system's own, which every program sees. */
export function isSystem(path: string): boolean {
  return path === '/' || SYSTEM.some((folder) => isWithin(path, folder));
}

const SYSTEM = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/nix/store'];
