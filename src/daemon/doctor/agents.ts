import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { noneWalls } from '../../adapters/sandboxes/none/index.ts';
import { probePid } from '../../adapters/sandboxes/pid/index.ts';
import type { MachineConfig } from '../../config/machine.ts';
import { chooseAgent } from '../../config/resolve.ts';
import { type AgentEntry, keysOf } from '../../domain/agent-entry.ts';
import { linesOf } from '../../lib/exec/lines.ts';
import { whichOn } from '../../lib/exec/which.ts';
import type { Home } from '../../lib/home.ts';
import { makeScratchFolder } from '../../lib/scratch-folder.ts';
import { whyUnusable } from '../../ports/agent-readiness.ts';
import { BARE_ENCLOSURE, type Sandbox } from '../../ports/sandbox.ts';
import type { SecretStore } from '../../secrets/store.ts';
import { agentAdapters } from '../agents.ts';
import { answerRows } from './agent-answers.ts';
import type { DoctorRow, Env } from './report.ts';

export interface AgentsToExamine {
  readonly config: MachineConfig;
  readonly home: Home;
  readonly env: Env;
  readonly online: boolean;
  readonly signal: AbortSignal | undefined;
  /** Where keys may be that are secrets. */
  readonly secrets: Pick<SecretStore, 'list' | 'read'>;
}

const VERSION_MS = 10_000;
/** The programs that say which version they are. Any other command might take `--version` for something to do. */
const NAMED_PROGRAMS: ReadonlySet<string> = new Set(['claude', 'codex', 'pi', 'gemini', 'opencode', 'copilot']);

/** Each agent: whether a turn of it could be started, which version it is, how it is signed in. */
export async function agentRows(asked: AgentsToExamine): Promise<DoctorRow[]> {
  const { config, home, env } = asked;
  const entries = Object.entries(config.agents);
  if (entries.length === 0)
    return [
      {
        level: 'problem',
        name: 'none',
        text: 'no agent is configured, so no run can work',
        hint: `Name one in ${home.config}, for instance\n  agents:\n    codex: { kind: codex, login: ~/.codex/auth.json }\nafter \`codex login\`; docs/guides/agents.md has the others.`,
      },
    ];
  const sandbox = await sandboxForVersions(env);
  const rows = await Promise.all(entries.map(([name, entry]) => rowsOf(name, entry, { ...asked, sandbox })));
  return [...rows.flat(), ...noDefault(config)];
}

/** Programs that a person has installed are only asked for their version: nothing of them is to be left behind. */
async function sandboxForVersions(env: Env): Promise<Sandbox> {
  const probed = await probePid(whichOn(env['PATH']));
  return ('missing' in probed ? noneWalls : probed).enclose(BARE_ENCLOSURE);
}

/** With several agents, one has to be named for every run, or here. */
function noDefault(config: MachineConfig): DoctorRow[] {
  const chosen = chooseAgent(config);
  if (chosen.ok) return [];
  return [{ level: 'warning', name: 'default', text: chosen.message, hint: chosen.hint }];
}

type Asked = AgentsToExamine & { readonly sandbox: Sandbox };

async function rowsOf(name: string, entry: AgentEntry, asked: Asked): Promise<DoctorRow[]> {
  const adapter = agentAdapters.get(entry.kind);
  if (adapter === undefined)
    return [
      {
        level: 'problem',
        name,
        text: `${entry.kind}: this version cannot drive agents of that kind`,
        hint: `It can drive ${[...agentAdapters.keys()].join(', ')}.`,
      },
    ];
  const [unusable, version, answer] = await Promise.all([
    whyUnusable(adapter, entry, asked.env, {
      hasOwnPrograms: asked.config.sandbox === 'container',
      secrets: await storedNames(entry, asked.secrets),
    }),
    versionOf(entry, asked),
    asked.online ? answerRows(entry, asked) : [],
  ]);
  const text = [entry.kind, version].filter((part) => part !== undefined).join(' ');
  const signedIn = `${text}: ${adapter.describe(entry)}`;
  if (unusable !== undefined)
    return [{ level: 'problem', name, text: `${signedIn}\n${unusable.message}`, hint: unusable.hint }, ...answer];
  const exposed = entry.login !== undefined;
  return [
    {
      level: exposed ? 'warning' : 'ok',
      name,
      text: signedIn,
      ...(exposed ? { hint: 'The login is exposed to whatever runs in the workspace.' } : {}),
    },
    ...answer,
  ];
}

/** What is stored for all repositories; a store that cannot be read is told in a row of its own. */
async function storedNames(entry: AgentEntry, secrets: AgentsToExamine['secrets']): Promise<string[]> {
  if (keysOf(entry).every(({ secret }) => secret === undefined)) return [];
  const stored = await secrets.list().catch(() => []);
  return stored.filter(({ repository }) => repository === null).map(({ name }) => name);
}

/** What the program says of its version, in a HOME of its own; undefined where it says nothing in time, or is not to be asked. */
async function versionOf(entry: AgentEntry, { env, sandbox, signal }: Asked): Promise<string | undefined> {
  if (!NAMED_PROGRAMS.has(entry.kind)) return undefined;
  const [command = entry.kind, ...args] = entry.command ?? [];
  const program = await whichOn(env['PATH'])(command);
  if (program === undefined) return undefined;
  await using scratch = await makeScratchFolder(join(tmpdir(), 'switchyard-doctor-'));
  const limit = AbortSignal.any([AbortSignal.timeout(VERSION_MS), ...(signal === undefined ? [] : [signal])]);
  try {
    await using child = await sandbox.spawn({
      argv: [program, ...args, '--version'],
      cwd: scratch.path,
      env: { HOME: scratch.path, PATH: env['PATH'] ?? '' },
    });
    limit.addEventListener('abort', () => void child.stop(0));
    child.stderr.resume();
    for await (const { text } of linesOf(child.stdout)) {
      const found = /\d+\.\d+[\w.-]*/.exec(text)?.[0];
      if (found !== undefined) return found;
    }
    return undefined;
  } catch {
    return undefined; // that it cannot be started is told with what a turn would need
  }
}
