import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { type ApiClient, createClient } from '../../src/api/client.ts';
import type { RunDetail } from '../../src/api/schemas/run.ts';
import type { SandboxLevel } from '../../src/domain/sandbox.ts';
import { type Home, resolveHome } from '../../src/lib/home.ts';
import { unmountBelow } from '../../src/lib/mounts.ts';
import { waitUntil } from '../../src/lib/wait-until.ts';

const bin = fileURLToPath(new URL('../../bin/switchyard.js', import.meta.url));

export interface InstallationOptions {
  /** The text of config.yaml. */
  readonly config?: string;
  /**
   * The level where the text names none: by default `pid`, whose agents leave their marks where a test finds them. Undefined leaves it to
   * the machine.
   */
  readonly sandbox?: SandboxLevel | undefined;
  /** Set for daemon and command line, beside PATH and a HOME of their own. */
  readonly env?: Readonly<Record<string, string>>;
  /** Files in the home, by path. */
  readonly files?: Readonly<Record<string, string>>;
}

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A Switchyard of its own: home, environment, daemon, command line. Disposing stops what runs and removes the folder. */
export class Installation implements AsyncDisposable {
  readonly folder: string;
  readonly home: Home;
  readonly env: Readonly<Record<string, string>>;
  readonly client: ApiClient;
  /** What is run as `switchyard`; another one after an upgrade. */
  program = bin;
  #children: ChildProcess[] = [];

  private constructor(folder: string, env: Readonly<Record<string, string>>) {
    this.folder = folder;
    this.env = env;
    this.home = resolveHome(env);
    this.client = createClient({ socket: this.home.socket });
  }

  static async create(options: InstallationOptions = {}): Promise<Installation> {
    const { env = {}, files = {} } = options;
    const config = withLevel(options.config ?? '', 'sandbox' in options ? options.sandbox : 'pid');
    const folder = await mkdtemp(join(tmpdir(), 'switchyard-test-'));
    const installation = new Installation(folder, {
      PATH: process.env['PATH'] ?? '/usr/bin:/bin',
      HOME: join(folder, 'user'),
      SWITCHYARD_HOME: join(folder, 'home'),
      LANG: 'C.UTF-8',
      NO_COLOR: '1',
      ...env,
    });
    await mkdir(join(folder, 'user'), { recursive: true });
    await mkdir(join(folder, 'home'), { recursive: true, mode: 0o700 });
    for (const [path, text] of Object.entries(files)) await writeFile(join(folder, 'home', path), text);
    if (config !== '') await writeFile(join(folder, 'home', 'config.yaml'), config);
    return installation;
  }

  /** Runs a command to its end. */
  async cli(
    args: readonly string[],
    { cwd = this.folder, input = '', env = {} }: { cwd?: string; input?: string; env?: Record<string, string> } = {},
  ): Promise<CliResult> {
    const result = await execa(process.execPath, [this.program, ...args], {
      cwd,
      env: { ...this.env, ...env },
      extendEnv: false,
      input,
      reject: false,
      timeout: 120_000,
      stripFinalNewline: false,
    });
    return { code: result.exitCode ?? -1, stdout: result.stdout, stderr: result.stderr };
  }

  /** Starts this home's daemon in test mode and waits until it answers; resolves to it. */
  async startDaemon(env: Readonly<Record<string, string>> = {}, flags: readonly string[] = []): Promise<ChildProcess> {
    const child = await this.#spawn(['server', 'run', '--test-mode', ...flags], env, this.home.log);
    await waitUntil(async () => (child.exitCode ?? child.signalCode) !== null || (await this.answers()), {
      timeoutMs: 60_000,
      everyMs: 20,
      what: 'the daemon to answer',
    });
    return child;
  }

  /** Starts a further worker, with a home of its own. */
  async startWorker(name: string, env: Readonly<Record<string, string>> = {}): Promise<ChildProcess> {
    const home = join(this.folder, name);
    await mkdir(home, { recursive: true, mode: 0o700 });
    const config = await readFile(this.home.config, 'utf8').catch(() => '');
    await writeFile(join(home, 'config.yaml'), config.replaceAll('script: ', `script: ${this.home.folder}/`));
    return this.#spawn(
      ['worker', '--server', `unix:${this.home.socket}`, '--test-mode'],
      { ...env, SWITCHYARD_HOME: home },
      join(home, 'daemon.log'),
    );
  }

  async answers(): Promise<boolean> {
    return this.client.call('health', {}).then(
      () => true,
      () => false,
    );
  }

  async show(run: string): Promise<RunDetail> {
    return this.client.call('showRun', {}, { run });
  }

  /** Waits until the run is neither queued nor running. */
  async settled(run: string, timeoutMs = 120_000): Promise<RunDetail> {
    return waitUntil(
      async () => {
        const detail = await this.show(run).catch(() => undefined);
        return detail !== undefined && detail.state.kind !== 'queued' && detail.state.kind !== 'running'
          ? detail
          : undefined;
      },
      { timeoutMs, everyMs: 50, what: `run ${run} to settle` },
    );
  }

  /** The embedded server's process, as it wrote it down itself; undefined while none runs. */
  async databasePid(): Promise<number | undefined> {
    const text = await readFile(join(this.home.database, 'postmaster.pid'), 'utf8').catch(() => '');
    const pid = Number.parseInt(text, 10);
    return pid > 1 && pid < 2 ** 22 ? pid : undefined;
  }

  /** As somebody does who clears up by hand. */
  async loseWorkspace(run: string): Promise<void> {
    const folder = join(this.home.workspaces, run);
    await unmountBelow(folder);
    await rm(folder, { recursive: true });
  }

  async log(): Promise<string> {
    return readFile(this.home.log, 'utf8').catch(() => '');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The last that came goes first: workers before the daemon whose database they use.
    for (const child of this.#children.toReversed()) {
      if (isRunning(child)) child.kill('SIGTERM');
      await waitUntil(() => !isRunning(child), { timeoutMs: 30_000, what: `process ${child.pid} to stop` });
    }
    await this.cli(['server', 'down']);
    // Of daemons and workers that were killed.
    await unmountBelow(this.folder);
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }

  async #spawn(args: readonly string[], env: Readonly<Record<string, string>>, log: string): Promise<ChildProcess> {
    await using out = await open(log, 'a', 0o600);
    const child = spawn(process.execPath, [this.program, ...args], {
      cwd: this.folder,
      env: { ...this.env, ...env },
      stdio: ['ignore', out.fd, out.fd],
    });
    this.#children.push(child);
    return child;
  }
}

/** Configuration in JSON is YAML on one line, to which nothing can be added below. */
function withLevel(config: string, level: SandboxLevel | undefined): string {
  if (level === undefined || /^sandbox:|"sandbox":/m.test(config)) return config;
  if (!config.startsWith('{')) return `sandbox: ${level}\n${config}`;
  return JSON.stringify({ sandbox: level, ...(JSON.parse(config) as object) });
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}
