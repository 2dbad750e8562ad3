import { createClient, type ServerAddress } from '../api/client.ts';
import { resolveHome } from '../lib/home.ts';
import { type BackupReport, backUp } from '../operations/backup.ts';
import { type RestoreReport, restoreBackup } from '../operations/restore-backup.ts';
import { version } from './version.ts';

export interface HomeCopying {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly now: Date;
  readonly progress: (line: string) => void;
  readonly signal: AbortSignal;
}

/** A backup of the home that a server on this machine serves, made by this process. */
export async function backUpHome(
  { env, ...given }: HomeCopying,
  { server, target }: { server: ServerAddress; target: string },
): Promise<BackupReport> {
  const { databaseUrl, repositories } = await createClient(server).call('joinWorker', {});
  return backUp({ ...given, target, databaseUrl, repositories, config: resolveHome(env).config, version });
}

/** A home out of a backup, while no daemon serves it. */
export async function restoreHome(
  given: HomeCopying,
  { file, replace }: { file: string; replace: boolean },
): Promise<RestoreReport> {
  return restoreBackup({ ...given, file, replace });
}
