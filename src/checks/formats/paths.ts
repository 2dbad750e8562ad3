import { isAbsolute, join, normalize, relative } from 'node:path';
import type { Paths } from './format.ts';

const NAMES_WITHOUT_EXTENSION = /^(?:Makefile|Dockerfile|Jenkinsfile|Gemfile|Rakefile|Justfile|justfile|BUILD)$/;
const FOREIGN = /(?:^|\/)(?:node_modules|site-packages|dist-packages|vendor|\.venv|venv|target)\//;

/** Paths below `root`, absolute or relative to `from` within it. What leads out of it is none of the workspace's. */
export function pathsWithin(root: string, from = ''): Paths {
  const inside = (text: string) => {
    const path = withinRoot(withoutScheme(text), root, from);
    return path !== undefined && looksLikeFile(path) ? path : undefined;
  };
  const own = (text: string) => {
    const path = inside(text);
    return path !== undefined && !FOREIGN.test(path) ? path : undefined;
  };
  return { inside, own };
}

function withoutScheme(text: string): string {
  if (!text.startsWith('file://')) return text;
  try {
    return decodeURIComponent(text.slice('file://'.length));
  } catch {
    return text.slice('file://'.length); // no valid escapes: it is what it is
  }
}

function withinRoot(path: string, root: string, from: string): string | undefined {
  if (path === '' || path.length > 400) return undefined;
  const inner = normalize(isAbsolute(path) ? relative(root, path) : join(from, path));
  return inner === '..' || inner.startsWith('../') || isAbsolute(inner) ? undefined : inner;
}

/** Tells `src/a.ts` from `12`, `error` and `127.0.0.1`. */
function looksLikeFile(path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return /\.[A-Za-z][\w+-]{0,12}$/.test(name) || NAMES_WITHOUT_EXTENSION.test(name);
}
