import { MachineConfig } from '../config/machine.ts';
import { SwitchyardError } from '../lib/error.ts';
import { type Home, resolveHome } from '../lib/home.ts';
import { isThere } from '../lib/is-there.ts';
import { systemKeyring } from '../secrets/keyring.ts';
import { openSecretStore } from '../secrets/store.ts';
import { agentRowsAsRunsFindThem } from './doctor/agents-as-runs-find-them.ts';
import { developmentContainerRows } from './doctor/development-containers.ts';
import { limitRows } from './doctor/limits.ts';
import { diskRow, gitRow, nodeRow } from './doctor/machine.ts';
import type { DoctorReport, DoctorRow, Env } from './doctor/report.ts';
import { sandboxRows } from './doctor/sandbox.ts';
import { secretRows } from './doctor/secrets.ts';
import { daemonRow, databaseRow } from './doctor/server.ts';
import { workspaceRows } from './doctor/workspaces.ts';
import { openMachineSettings } from './machine-settings.ts';
import { wallsOf } from './walls.ts';

export interface Examination {
  readonly env: Env;
  /** Whether addresses that agents are configured with are asked whether they answer. */
  readonly online: boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Looks at this machine: what is there, what is missing and how to get it, what is in force. Needs no daemon, and changes nothing but
 * for a scratch folder while it looks. A daemon that runs is asked for what its agents find.
 */
export async function examine({ env, online, signal }: Examination): Promise<DoctorReport> {
  const home = resolveHome(env);
  const read = await openMachineSettings(home)
    .reload()
    .catch((error: unknown) => error);
  const config = read instanceof Error ? undefined : (read as MachineConfig);
  const sections = [
    { title: 'Programs', rows: [nodeRow(), await gitRow(), await diskRow(home)] },
    {
      title: 'Sandbox',
      rows: [
        ...(await sandboxRows(wallsOf({ env, home, machine: config ?? MachineConfig.parse({}) }), config)),
        ...(config === undefined ? [] : developmentContainerRows(config)),
      ],
    },
    { title: 'Workspaces', rows: await workspaceRows(home, config) },
    { title: 'Server', rows: [await daemonRow(home), await databaseRow(home, env)] },
    {
      title: 'Configuration',
      rows: [
        await configRow(home, read),
        ...(config === undefined ? [] : await limitRows(home, config)),
        ...(config === undefined ? [] : await secretRows({ home, config, env, platform: process.platform })),
      ],
    },
    {
      title: 'Agents',
      rows:
        config === undefined
          ? []
          : await agentRowsAsRunsFindThem({ config, home, env, online, signal, secrets: secretsIn(home, config, env) }),
    },
  ];
  return { schema: 1, ok: sections.every(({ rows }) => rows.every((row) => row.level !== 'problem')), sections };
}

function secretsIn(home: Home, config: MachineConfig, env: Env) {
  const keyring = systemKeyring(env, process.platform);
  return openSecretStore({ home: home.folder, file: home.secrets, keyring, kind: () => config.secrets.store });
}

async function configRow(home: Home, read: unknown): Promise<DoctorRow> {
  if (read instanceof SwitchyardError)
    return { level: 'problem', name: 'config.yaml', text: read.message, hint: read.hint };
  if (read instanceof Error)
    return {
      level: 'problem',
      name: 'config.yaml',
      text: read.message,
      hint: `Make ${home.config} readable for this user.`,
    };
  return (await isThere(home.config))
    ? { level: 'ok', name: 'config.yaml', text: home.config }
    : { level: 'info', name: 'config.yaml', text: `there is no ${home.config}: everything stands at its default` };
}
