import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createClient } from '../../api/client.ts';
import type { Health } from '../../api/schemas/server.ts';
import { counted } from '../../lib/counted.ts';
import { messageOf, SwitchyardError } from '../../lib/error.ts';
import type { Home } from '../../lib/home.ts';
import { askDatabase } from '../../lib/postgres-supervisor/ask.ts';
import { version } from '../version.ts';
import type { DoctorRow, Env } from './report.ts';

const PATIENCE_MS = 5_000;

export async function daemonRow(home: Home): Promise<DoctorRow> {
  try {
    const health = await createClient({ socket: home.socket }).call('health', {}, {}, AbortSignal.timeout(PATIENCE_MS));
    if (health.version === version) return { level: 'ok', name: 'daemon', text: describe(health) };
    return {
      level: 'warning',
      name: 'daemon',
      text: `${describe(health)}; this command line is ${version}`,
      hint: '`switchyard server restart` replaces it; agents at work are saved and go on.',
    };
  } catch (error) {
    const unreachable = error instanceof SwitchyardError && error.code === 'daemon/unavailable';
    return unreachable
      ? await notRunning(home)
      : { level: 'problem', name: 'daemon', text: messageOf(error), hint: `Look into ${home.log}.` };
  }
}

/** Its socket goes last when a daemon ends by itself. */
async function notRunning({ socket }: Home): Promise<DoctorRow> {
  const text = 'not running; it starts with the first command that needs it';
  const isLeft = await lstat(socket).then(
    () => true,
    () => false,
  );
  if (!isLeft) return { level: 'info', name: 'daemon', text };
  return {
    level: 'warning',
    name: 'daemon',
    text: `${text}. The last one was killed: it has left ${socket}`,
    hint: '`switchyard doctor --fix` clears away what it left; add --dry-run to see what that is.',
  };
}

function describe({ version: its, pid, workers, runs }: Health): string {
  const { queued, running, parked } = runs;
  return `version ${its}, process ${pid}, ${counted(workers.length, 'worker')}; runs: ${queued} queued, ${running} running, ${parked} parked`;
}

export async function databaseRow(home: Home, env: Env): Promise<DoctorRow> {
  const external = env['DATABASE_URL'];
  return external === undefined || external === '' ? embeddedRow(home) : externalRow(external);
}

async function embeddedRow({ database }: Home): Promise<DoctorRow> {
  const major = await readFile(join(database, 'PG_VERSION'), 'utf8').catch(() => undefined);
  const text =
    major === undefined
      ? `PostgreSQL of its own; it is made in ${database} with the first command that needs it`
      : `PostgreSQL ${major.trim()} of its own, in ${database}`;
  return { level: 'ok', name: 'database', text };
}

/** Without the password that the address may have. */
async function externalRow(url: string): Promise<DoctorRow> {
  const where = `DATABASE_URL (${URL.canParse(url) ? new URL(url).host : 'not a URL'})`;
  try {
    const [row] = await askDatabase<{ server_version: string }>(url, { text: 'show server_version' }, PATIENCE_MS);
    return { level: 'ok', name: 'database', text: `PostgreSQL ${row?.server_version ?? ''}, ${where}` };
  } catch (error) {
    return {
      level: 'problem',
      name: 'database',
      text: `${where} does not answer: ${messageOf(error)}`,
      hint: 'Mend DATABASE_URL, or unset it: then Switchyard keeps a PostgreSQL of its own.',
    };
  }
}
