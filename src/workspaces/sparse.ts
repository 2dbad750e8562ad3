import { isBelow } from '../domain/inner-folder.ts';

/**
 * The file `info/sparse-checkout` with which git writes only these folders, the files at the top and those in the folders on the way to
 * them (git's cone mode). Files that are left out stay in git's index, so commits keep them.
 */
export function sparsePatterns(folders: readonly string[]): string {
  const whole = [...new Set(folders)]
    .filter(
      (folder) =>
        !isBelow(
          folder,
          folders.filter((other) => other !== folder),
        ),
    )
    .sort();
  const parents = new Set(whole.flatMap((folder) => above(folder)));
  const lines = [
    ...[...parents].sort().flatMap((parent) => [`/${parent}/`, `!/${parent}/*/`]),
    ...whole.map((folder) => `/${folder}/`),
  ];
  return ['/*', '!/*/', ...lines, ''].join('\n');
}

/** The same as settings of a git directory. */
export const SPARSE_SETTINGS = [
  ['core', 'sparseCheckout', 'true'],
  ['core', 'sparseCheckoutCone', 'true'],
] as const;

function above(folder: string): string[] {
  const names = folder.split('/').slice(0, -1);
  return names.map((_, n) => names.slice(0, n + 1).join('/'));
}
