import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A mounted tree of control groups, and where in it this process is. */
export interface Hierarchy {
  readonly root: string;
  readonly own: string;
}

/** The trees of control groups that this process sees. */
export interface Hierarchies {
  /** Those of version 1, each by its controller; a tree may have several. */
  readonly v1: Readonly<Record<string, Hierarchy>>;
  /** The one of version 2. */
  readonly v2: Hierarchy | undefined;
}

/** Read from `mountinfo` and `cgroup` of a folder like `/proc/self`; there is none where these cannot be read. */
export function readHierarchies(proc = '/proc/self'): Hierarchies {
  const groups = linesOf(join(proc, 'cgroup')).map((line) => {
    const [, id = '', names = '', path = '/'] = /^(\d+):([^:]*):(.*)$/.exec(line) ?? [];
    return { isV2: id === '0', controllers: names.split(','), path };
  });
  const v1: Record<string, Hierarchy> = {};
  let v2: Hierarchy | undefined;
  for (const line of linesOf(join(proc, 'mountinfo'))) {
    const [before = '', after = ''] = line.split(' - ');
    const [, , , mounted = '/', point = ''] = before.split(' ').map(unescaped);
    const [type, , options = ''] = after.split(' ');
    if (type === 'cgroup2') {
      const own = groups.find(({ isV2 }) => isV2);
      if (own !== undefined) v2 ??= hierarchy(point, mounted, own.path);
    }
    if (type !== 'cgroup') continue;
    for (const controller of options.split(',')) {
      const own = groups.find(({ isV2, controllers }) => !isV2 && controllers.includes(controller));
      if (own !== undefined) v1[controller] ??= hierarchy(point, mounted, own.path);
    }
  }
  return { v1, v2 };
}

/** A container may have only a part of the tree mounted, and see its own place named from within or from without. */
function hierarchy(root: string, mounted: string, path: string): Hierarchy {
  const below = path === mounted || path.startsWith(`${mounted}/`) ? path.slice(mounted.length) : path;
  const own = join(root, below);
  return { root, own: own.startsWith(root) && existsSync(own) ? own.replace(/\/$/, '') : root };
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n');
  } catch {
    return []; // not Linux, or no /proc
  }
}

/** Blanks and the like are written as octal numbers there. */
function unescaped(word: string): string {
  return word.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
