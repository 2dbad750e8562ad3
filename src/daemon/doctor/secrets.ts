import type { MachineConfig } from '../../config/machine.ts';
import { counted } from '../../lib/counted.ts';
import { messageOf, SwitchyardError } from '../../lib/error.ts';
import { whichOn } from '../../lib/exec/which.ts';
import type { Home } from '../../lib/home.ts';
import { systemKeyring } from '../../secrets/keyring.ts';
import { readSecretsFile } from '../../secrets/secrets-file.ts';
import type { DoctorRow, Env } from './report.ts';

export interface SecretRowsParts {
  readonly home: Home;
  readonly config: MachineConfig;
  readonly env: Env;
  readonly platform: string;
}

/** How many secrets there are, where new ones go, and whether the store can be used. No value is read. */
export async function secretRows({ home, config, env, platform }: SecretRowsParts): Promise<DoctorRow[]> {
  const { store } = config.secrets;
  const keyring = store === 'keyring' ? [await keyringRow(env, platform)] : [];
  try {
    const secrets = await readSecretsFile(home.secrets);
    const inKeyring = secrets.filter(({ value }) => value === undefined).length;
    const text = `${counted(secrets.length, 'secret')}${inKeyring === 0 ? '' : `, ${inKeyring} in the keyring`}; new ones go to ${store === 'file' ? home.secrets : 'the keyring'}`;
    return [{ level: 'info', name: 'secrets', text }, ...keyring];
  } catch (error) {
    const hint = error instanceof SwitchyardError ? error.hint : `Look at ${home.secrets}.`;
    return [{ level: 'problem', name: 'secrets', text: messageOf(error), hint }, ...keyring];
  }
}

async function keyringRow(env: Env, platform: string): Promise<DoctorRow> {
  const { program } = systemKeyring(env, platform);
  const path = await whichOn(env['PATH'])(program);
  if (path === undefined) {
    const hint =
      'Install it, for instance `apt install libsecret-tools`, or keep secrets in a file: `secrets: { store: file }`.';
    return { level: 'problem', name: 'keyring', text: `there is no program ${program}`, hint };
  }
  if (platform === 'darwin')
    return { level: 'warning', name: 'keyring', text: `${path}: untested, nobody has tried it on a Mac` };
  return env['DBUS_SESSION_BUS_ADDRESS'] === undefined && env['XDG_RUNTIME_DIR'] === undefined
    ? {
        level: 'problem',
        name: 'keyring',
        text: `${path}, but there is no session to ask (DBUS_SESSION_BUS_ADDRESS)`,
        hint: 'Start the daemon within your session, or keep secrets in a file: `secrets: { store: file }`.',
      }
    : { level: 'ok', name: 'keyring', text: `${path}; whether it is unlocked shows when it is used` };
}
