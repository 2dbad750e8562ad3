import type { FileHandle } from 'node:fs/promises';

/** What a program reads: a text, bytes, an open file from its position, or a file of ours by its absolute path. */
export type ProgramInput = string | Uint8Array | FileHandle | InputFile;

export interface InputFile {
  readonly path: string;
}

export function isInputFile(input: ProgramInput | undefined): input is InputFile {
  return typeof input === 'object' && 'path' in input;
}
