import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BackupManifest } from '../domain/backup-manifest.ts';
import { SwitchyardError } from '../lib/error.ts';
import { sha256Of } from '../lib/file-hash.ts';
import { tryJson } from '../lib/try-json.ts';

export const MANIFEST = 'manifest.json';
export const DATABASE_FILE = 'database.jsonl.gz';
export const CONFIG_FILE = 'config.yaml';

/** Reads an unpacked backup's manifest, and makes sure that every file is as it was written: `backup/damaged`, `backup/not-one`. */
export async function readManifest(folder: string, name: string): Promise<BackupManifest> {
  const text = await readFile(join(folder, MANIFEST), 'utf8').catch(() => undefined);
  const manifest = text === undefined ? undefined : BackupManifest.safeParse(tryJson(text)).data;
  if (manifest === undefined) {
    throw new SwitchyardError({
      code: 'backup/not-one',
      message: `${name} is no backup of Switchyard.`,
      hint: 'Give a file that `switchyard server backup` has written.',
    });
  }
  for (const [file, expected] of Object.entries(manifest.files)) {
    const actual = await sha256Of(join(folder, file)).catch(() => 'nothing');
    if (actual !== expected) throw damaged(name, `${file} is not as it was written`);
  }
  return manifest;
}

export function damaged(name: string, why: string): SwitchyardError {
  return new SwitchyardError({
    code: 'backup/damaged',
    message: `The backup ${name} cannot be used: ${why}.`,
    hint: 'Take another backup; nothing was changed.',
  });
}
