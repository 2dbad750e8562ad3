import { Buffer } from 'node:buffer';
import { messageOf, SwitchyardError } from '../lib/error.ts';
import { type ProgramResult, runProgram } from '../lib/exec/run-program.ts';

/** Where one value lies in the keyring of the person. */
export interface KeyringPlace {
  /** The folder of the home that it belongs to. */
  readonly home: string;
  readonly name: string;
  readonly repository: string | null;
}

/** The keyring of the system's own. All reject with `secret/keyring` where it is not there, is locked, or refuses. */
export interface Keyring {
  /** The program through which it is used. */
  readonly program: string;
  put(place: KeyringPlace, value: string): Promise<void>;
  /** Undefined where there is none at that place. */
  get(place: KeyringPlace): Promise<string | undefined>;
  remove(place: KeyringPlace): Promise<void>;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** A keyring that wants to be unlocked asks on the person's screen. */
const PATIENCE_MS = 60_000;
const HANDED = ['PATH', 'HOME', 'XDG_RUNTIME_DIR', 'DBUS_SESSION_BUS_ADDRESS', 'DISPLAY', 'WAYLAND_DISPLAY'];

/** The keyring of this system, through its own program: values never stand in arguments, where other users would see them. */
export function systemKeyring(env: Environment, platform: string): Keyring {
  const run = (program: string) => async (args: readonly string[], input?: string) => {
    try {
      return await runProgram({
        file: program,
        args,
        cwd: undefined,
        env: handed(env),
        input,
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
    } catch (error) {
      throw unusable(program, messageOf(error));
    }
  };
  return platform === 'darwin' ? macosKeyring(run('security')) : secretService(run('secret-tool'));
}

type Run = (args: readonly string[], input?: string) => Promise<ProgramResult>;

function secretService(run: Run): Keyring {
  const program = 'secret-tool';
  return {
    program,
    async put(place, value) {
      const label = `Switchyard: ${place.name}`;
      const { code, stderr } = await run(['store', `--label=${label}`, ...attributes(place)], encoded(value));
      if (code !== 0) throw unusable(program, stderr);
    },
    async get(place) {
      const { code, stdout, stderr } = await run(['lookup', ...attributes(place)]);
      if (code === 0) return decoded(stdout.toString());
      // Without a word it has looked, and found nothing.
      if (stderr.trim() === '') return undefined;
      throw unusable(program, stderr);
    },
    async remove(place) {
      const { code, stderr } = await run(['clear', ...attributes(place)]);
      if (code !== 0 && stderr.trim() !== '') throw unusable(program, stderr);
    },
  };
}

function attributes({ home, name, repository }: KeyringPlace): string[] {
  return ['application', 'switchyard', 'home', home, 'repository', repository ?? '*', 'name', name];
}

/** Exit code of `security` for an item that is not there. */
const NO_ITEM = 44;

function macosKeyring(run: Run): Keyring {
  const program = 'security';
  const where = ({ home, name, repository }: KeyringPlace) => {
    const account = `${repository ?? '*'}/${name}`;
    return ['-a', account, '-s', `switchyard ${home}`];
  };
  const get = async (place: KeyringPlace) => {
    const { code, stdout, stderr } = await run(['find-generic-password', '-w', ...where(place)]);
    if (code === 0) return decoded(stdout.toString().trim());
    if (code === NO_ITEM) return undefined;
    throw unusable(program, stderr);
  };
  return {
    program,
    get,
    async put(place, value) {
      const words = ['add-generic-password', '-U', ...where(place), '-w', encoded(value)];
      const line = words.map((word) => `"${word.replace(/["\\]/g, '\\$&')}"`).join(' ');
      // Given commands on standard input, it ends well whatever comes of them.
      const { stderr } = await run(['-i'], `${line}\n`);
      if ((await get(place)) !== value) throw unusable(program, stderr);
    },
    async remove(place) {
      const { code, stderr } = await run(['delete-generic-password', ...where(place)]);
      if (code !== 0 && code !== NO_ITEM) throw unusable(program, stderr);
    },
  };
}

/** Both programs think of one line of text, and drop or add a line's end. */
const encoded = (value: string): string => Buffer.from(value).toString('base64url');
const decoded = (text: string): string => Buffer.from(text.trim(), 'base64url').toString();

function handed(env: Environment): Record<string, string> {
  const kept = HANDED.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]] as const]));
  return { PATH: '/usr/local/bin:/usr/bin:/bin', ...Object.fromEntries(kept), LC_ALL: 'C.UTF-8' };
}

function unusable(program: string, why: string): SwitchyardError {
  return new SwitchyardError({
    code: 'secret/keyring',
    message: `The keyring cannot be used through ${program}: ${why.trim().split('\n', 1)[0] || 'it says nothing of why'}.`,
    hint: 'Install the program, unlock the keyring and start the daemon in your session; or keep secrets in a file: `secrets: { store: file }` in config.yaml.',
  });
}
