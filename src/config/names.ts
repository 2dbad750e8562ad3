import { z } from 'zod';

/** Names of agents, checks and kinds of check. */
export const NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/;

export const ConfigName = z
  .string()
  .regex(
    NAME_PATTERN,
    'a name is at most 64 letters, digits, dots, colons, hyphens and underscores, and starts with a letter or digit',
  )
  .refine((name) => !(name in Object.prototype), 'this name is taken by the language itself')
  .describe('A name: letters, digits, . : - _');

/** A path or pattern of files that cannot lead out of the repository. */
export const InnerPath = z
  .string()
  .min(1, 'a path must not be empty')
  .refine(
    (path) => !path.startsWith('/') && !path.startsWith('~') && !/^[A-Za-z]:/.test(path),
    'a path is relative to the repository',
  )
  .refine((path) => !path.split(/[\\/]/).includes('..'), 'a path must not lead out of the repository')
  .refine((path) => !path.split(/[\\/]/).includes('.git'), 'a path must not lead into .git')
  .describe('A path or pattern, relative to the repository');

/** A line for `sh -c`. */
export const CommandLine = z
  .string()
  .refine((text) => text.trim() !== '', 'a command must not be empty')
  .refine((text) => !text.includes('\0'), 'a command is text')
  .describe('A command for sh');
