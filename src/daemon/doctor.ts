import { readFile } from 'node:fs/promises';
import { createClient } from '../api/client.ts';
import type { MachineConfig } from '../config/machine.ts';
import { messageOf, SwitchyardError } from '../lib/error.ts';
import { runGit } from '../lib/git/git.ts';
import { type Home, resolveHome } from '../lib/home.ts';
import { agentAdapters } from './agents.ts';
import { sandboxesOf } from './host.ts';
import { openMachineSettings } from './machine-settings.ts';
import { version } from './version.ts';

export interface DoctorRow {
  readonly level: 'ok' | 'info' | 'warning' | 'problem';
  readonly name: string;
  readonly text: string;
  readonly hint?: string;
}

export interface DoctorReport {
  readonly schema: 1;
  /** False when something would keep runs from working. */
  readonly ok: boolean;
  readonly sections: readonly { readonly title: string; readonly rows: readonly DoctorRow[] }[];
}

/** Oldest git that can merge trees without a checkout. */
const GIT_WANTED = [2, 38] as const;

/** Looks at this machine: what is there, what is missing, what is in force. Changes nothing, and needs no daemon. */
export async function examine({ env }: { env: Readonly<Record<string, string | undefined>> }): Promise<DoctorReport> {
  const home = resolveHome(env);
  const settings = openMachineSettings(home);
  const machine = await settings.reload().catch((error: unknown) => error);
  const config = machine instanceof Error ? undefined : (machine as MachineConfig);
  const sections = [
    { title: 'Programs', rows: [nodeRow(), await gitRow()] },
    { title: 'Sandbox', rows: await sandboxRows(env) },
    { title: 'Server', rows: [await daemonRow(home), databaseRow(env)] },
    { title: 'Configuration', rows: [configRow(home, machine), ...(config === undefined ? [] : limitRows(config))] },
    { title: 'Agents', rows: config === undefined ? [] : await agentRows(config) },
  ];
  return { schema: 1, ok: sections.every(({ rows }) => rows.every((row) => row.level !== 'problem')), sections };
}

function nodeRow(): DoctorRow {
  return { level: 'ok', name: 'node', text: `${process.versions.node}; Switchyard ${version}` };
}

async function gitRow(): Promise<DoctorRow> {
  const result = await runGit(['version']).catch(() => undefined);
  const found = /(\d+)\.(\d+)\S*/.exec(result?.stdout.toString() ?? '');
  if (found === null) return { level: 'problem', name: 'git', text: 'not found', hint: 'Install git 2.38 or newer.' };
  const [major, minor] = [Number(found[1]), Number(found[2])];
  const old = major < GIT_WANTED[0] || (major === GIT_WANTED[0] && minor < GIT_WANTED[1]);
  return old
    ? { level: 'problem', name: 'git', text: `${found[0]} is too old`, hint: 'Install git 2.38 or newer.' }
    : { level: 'ok', name: 'git', text: found[0] };
}

async function sandboxRows(env: Readonly<Record<string, string | undefined>>): Promise<DoctorRow[]> {
  const sandboxes = sandboxesOf(env);
  const level = await sandboxes.strongest();
  const sandbox = await sandboxes.get(level);
  const missing = level === 'none' ? await sandboxes.get('pid').catch((error: unknown) => messageOf(error)) : undefined;
  return [
    {
      level: level === 'none' ? 'warning' : 'ok',
      name: 'level',
      text: `${level} (${sandbox.mechanism})`,
      ...(typeof missing === 'string' ? { hint: missing } : {}),
    },
    ...sandbox.guarantees.map((text) => ({ level: 'info' as const, name: 'promises', text })),
    ...sandbox.warnings.map((text) => ({ level: 'warning' as const, name: 'does not', text })),
  ];
}

async function daemonRow(home: Home): Promise<DoctorRow> {
  try {
    const health = await createClient({ socket: home.socket }).call('health', {});
    const { queued, running, parked } = health.runs;
    return {
      level: 'ok',
      name: 'daemon',
      text: `${health.version}, pid ${health.pid}, ${health.workers.length} workers; runs: ${queued} queued, ${running} running, ${parked} parked`,
    };
  } catch (error) {
    const unreachable = error instanceof SwitchyardError && error.code === 'daemon/unavailable';
    return unreachable
      ? { level: 'info', name: 'daemon', text: 'not running; it starts with the first command that needs it' }
      : { level: 'problem', name: 'daemon', text: messageOf(error), hint: `Look into ${home.log}.` };
  }
}

function databaseRow(env: Readonly<Record<string, string | undefined>>): DoctorRow {
  const external = env['DATABASE_URL'];
  return external === undefined || external === ''
    ? { level: 'ok', name: 'database', text: 'embedded PostgreSQL' }
    : { level: 'ok', name: 'database', text: `DATABASE_URL (${hostOf(external)})` };
}

function configRow(home: Home, machine: unknown): DoctorRow {
  if (machine instanceof SwitchyardError)
    return { level: 'problem', name: 'config.yaml', text: machine.message, hint: machine.hint };
  return { level: 'ok', name: 'config.yaml', text: home.config };
}

function limitRows({ limits, defaults }: MachineConfig): DoctorRow[] {
  const perProvider = Object.entries(limits.perProvider).map(([name, most]) => `, ${most} of ${name}`);
  return [
    {
      level: 'info',
      name: 'at once',
      text: `${limits.agents} agents, ${limits.perRepository} in one repository${perProvider.join('')}`,
    },
    {
      level: 'info',
      name: 'defaults',
      text: `blueprint ${defaults.blueprint}, agent ${defaults.agent ?? '(the only one)'}`,
    },
  ];
}

async function agentRows(config: MachineConfig): Promise<DoctorRow[]> {
  const entries = Object.entries(config.agents);
  if (entries.length === 0)
    return [
      {
        level: 'warning',
        name: 'agents',
        text: 'none is configured',
        hint: 'Add one under `agents:` in config.yaml; see docs/guides/agents.md.',
      },
    ];
  return Promise.all(
    entries.map(async ([name, entry]) => {
      const adapter = agentAdapters.get(entry.kind);
      if (adapter === undefined)
        return {
          level: 'problem' as const,
          name,
          text: `agents of kind ${entry.kind} cannot be driven by this version`,
        };
      const login =
        entry.login === undefined ||
        (await readFile(entry.login).then(
          () => true,
          () => false,
        ));
      const text = `${entry.kind}: ${adapter.describe(entry)}`;
      if (!login) return { level: 'problem' as const, name, text, hint: `${entry.login} cannot be read.` };
      return {
        level: entry.login === undefined ? ('ok' as const) : ('warning' as const),
        name,
        text,
        ...(entry.login === undefined ? {} : { hint: 'The login is exposed to whatever runs in the workspace.' }),
      };
    }),
  );
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'not a URL';
}
