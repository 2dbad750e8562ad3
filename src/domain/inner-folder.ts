import { z } from 'zod';

/** A folder of a repository by its path, without patterns; `a//b/` and `./a/b` are `a/b`. */
export const InnerFolder = z
  .string()
  .refine((path) => !/^[/~]|^[A-Za-z]:/.test(path), 'a path is relative to the repository')
  .refine((path) => !/[*?[\]\\\p{Cc}]/u.test(path), 'write one folder, without patterns')
  .refine((path) => !path.split('/').includes('..'), 'a path must not lead out of the repository')
  .refine((path) => !path.split('/').includes('.git'), 'a path must not lead into .git')
  .transform((path) =>
    path
      .split('/')
      .filter((name) => name !== '' && name !== '.')
      .join('/'),
  )
  .refine((path) => path !== '', 'this is the whole repository: leave it out')
  .describe('A folder, relative to the repository');

/** Whether a path is one of the folders or lies below one. */
export function isBelow(path: string, folders: readonly string[]): boolean {
  return folders.some((folder) => path === folder || path.startsWith(`${folder}/`));
}
