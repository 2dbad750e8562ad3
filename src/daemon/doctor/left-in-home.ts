import { lstat, rm } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { relative, sep } from 'node:path';
import type { Home } from '../../lib/home.ts';
import { askDatabase } from '../../lib/postgres-supervisor/ask.ts';
import { deadServerFiles, leftServer } from '../../lib/postgres-supervisor/leftovers.ts';
import { type ProcessTrace, processesIn } from '../../lib/process-traces.ts';
import { isAlive, sendSignal } from '../../lib/processes.ts';
import { waitUntil } from '../../lib/wait-until.ts';
import type { Leftover } from './leftover.ts';

const NOBODY = 'nobody holds this home’s lock, so no daemon or worker of it lives';
const END_MS = 5_000;

/** What the dead daemon or worker of a home left. The caller holds that home's lock: none lives, and none can start meanwhile. */
export async function leftInHome(home: Home): Promise<Leftover[]> {
  return [...strays(home), ...(await leftSocket(home)), ...(await leftDatabase(home))];
}

/**
 * Processes of agents. Ours is only what works in a run's workspace, was started with that run's name, and has no terminal: a person who
 * looks around there has one. What a person has started there with `open` bears the opening's name, and is left to them.
 */
function strays({ workspaces }: Home): Leftover[] {
  return processesIn(workspaces)
    .filter((trace) => isAgentOf(workspaces, trace))
    .map((trace) => ({
      kind: 'process' as const,
      what: `process ${trace.pid}, in ${trace.folder}`,
      proof: `it was started for the run ${trace.env['SWITCHYARD_RUN'] ?? ''} and works in its workspace without a terminal; ${NOBODY}`,
      remove: () => end(trace),
    }));
}

function isAgentOf(workspaces: string, { folder, env, hasTerminal }: ProcessTrace): boolean {
  const [run] = relative(workspaces, folder).split(sep);
  const isPersons = hasTerminal || env['SWITCHYARD_OPENING'] !== undefined;
  return !isPersons && run !== undefined && run !== '' && env['SWITCHYARD_RUN'] === run;
}

async function end(trace: ProcessTrace): Promise<string | undefined> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    if (!isAlive(trace)) return undefined;
    sendSignal(trace.pid, signal);
    await waitUntil(() => !isAlive(trace), { timeoutMs: END_MS }).catch(() => undefined); // the next signal is stronger
  }
  return isAlive(trace) ? 'it does not end' : undefined;
}

async function leftSocket({ socket }: Home): Promise<Leftover[]> {
  if (!(await isDeadSocket(socket))) return [];
  return [
    {
      kind: 'socket',
      what: socket,
      proof: `nobody answers at it; ${NOBODY}`,
      async remove() {
        if (!(await isDeadSocket(socket))) return 'somebody answers at it now';
        await rm(socket, { force: true });
        return undefined;
      },
    },
  ];
}

async function isDeadSocket(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isSocket() !== true || found.uid !== process.getuid?.()) return false;
  return new Promise((resolve) => {
    const socket = createConnection(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
    // Any other error tells nothing about who listens.
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  });
}

async function leftDatabase({ database }: Home): Promise<Leftover[]> {
  const server = await leftServer(database);
  if (server !== undefined) {
    return [
      {
        kind: 'database',
        what: `the database server of ${database}, process ${server.pid}`,
        proof: `nobody is in charge of it; ${NOBODY}`,
        async remove() {
          const users = await connectionsTo(server.url);
          if (users > 0) return `somebody uses it (${users} connections)`;
          return (await server.stop()) ? undefined : 'somebody is in charge of it now';
        },
      },
    ];
  }
  const dead = await deadServerFiles(database);
  if (dead === undefined) return [];
  const who = dead.pid === undefined ? 'the server that wrote them' : `process ${dead.pid}, which wrote them,`;
  return [
    {
      kind: 'database-files',
      what: dead.files.join(', '),
      proof: `${who} has ended, and no process works in ${database}; ${NOBODY}`,
      async remove() {
        const now = await deadServerFiles(database);
        if (now === undefined) return 'a server uses them now';
        for (const file of now.files) await rm(file, { force: true });
        return undefined;
      },
    },
  ];
}

/** Of others than ourselves; a server that does not answer has none that could lose anything. */
async function connectionsTo(url: string): Promise<number> {
  const text = `select count(*)::int as count from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()`;
  const [row] = await askDatabase<{ count: number }>(url, { text }, 2_000).catch(() => []);
  return row?.count ?? 0;
}
