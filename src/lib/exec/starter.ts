import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeScratchFolder } from '../scratch-folder.ts';
import type { BegunProcess, ProgramToBegin } from './begun-process.ts';
import { frameOf } from './starter-frame.ts';
import { STARTER_PROGRAM } from './starter-program.ts';
import { StartingProgram } from './starting-program.ts';

/** Where Perl is on every system that has it as its own. One of a version manager's may be a script. */
const PERL = '/usr/bin/perl';

/** Numbers of the system calls prctl, setsid, dup3, memfd_create and prlimit64. */
const CALLS: Readonly<Record<string, readonly number[]>> = {
  x64: [157, 112, 292, 319, 302],
  arm64: [167, 157, 24, 279, 261],
};

/**
 * A small process that starts programs for this one: it forks in a fraction of a millisecond, while this one goes on. It ends with this
 * process, however that ends, and with it what was told to die with its parent.
 */
export class Starter {
  readonly #child: ChildProcess;
  readonly #control: Socket;
  readonly #server: Server;
  readonly #programs = new Map<number, StartingProgram>();
  /** Those for whose end this process stays. */
  readonly #awaited = new Set<number>();
  readonly #up = Promise.withResolvers<boolean>();
  #said = '';
  #last = 0;
  #isUp = false;

  /** Undefined where this system cannot have one. */
  static async start(perl = PERL): Promise<Starter | undefined> {
    const calls = process.platform === 'linux' ? CALLS[process.arch] : undefined;
    if (calls === undefined) return undefined;
    try {
      await using scratch = await makeScratchFolder(join(tmpdir(), 'switchyard-starter-'));
      const path = join(scratch.path, 'socket');
      const server = createServer().listen({ path, backlog: BACKLOG });
      await once(server, 'listening');
      const starter = new Starter(server, { perl, args: [...calls.map(String), `${process.pid}`, path] });
      if (await starter.#up.promise) return starter;
    } catch {
      // No folder, no socket, no process: then it is done without.
    }
    return undefined;
  }

  private constructor(server: Server, { perl, args }: { perl: string; args: readonly string[] }) {
    this.#server = server.on('connection', (channel) => this.#identify(channel)).unref();
    const stdio = ['ignore', 'ignore', 'ignore', 'pipe'] as const;
    this.#child = spawn(perl, ['-e', STARTER_PROGRAM, ...args], {
      cwd: '/',
      env: {},
      detached: true,
      stdio: [...stdio],
    });
    this.#child.once('error', () => undefined); // the control's end tells it too
    this.#child.unref();
    this.#control = this.#child.stdio[3] as Socket;
    this.#control.on('error', () => undefined); // its end follows
    this.#control.on('data', (bytes: Buffer) => this.#take(bytes.toString('latin1')));
    this.#control.once('close', () => void this.#died());
    this.#control.unref();
  }

  /** Whether it can be asked. */
  get isUp(): boolean {
    return this.#isUp;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Rejects with the system's error when it cannot be started. If the starter is ended, so are its programs: as by SIGKILL. */
  begin(program: ProgramToBegin): Promise<BegunProcess> {
    const id = ++this.#last;
    const starting = new StartingProgram(program, () => this.#leave(id));
    this.#programs.set(id, starting);
    this.#awaited.add(id);
    this.#control.ref();
    this.#control.write(frameOf(id, program));
    return starting.begun;
  }

  /** Has it end. */
  end(): void {
    this.#isUp = false;
    this.#control.destroy();
  }

  /** Each connection says first whose it is. */
  #identify(channel: Socket): void {
    channel.on('error', () => undefined); // a program may end without reading what it is told
    const read = (): void => {
      const head = channel.read(HEAD_BYTES) as Buffer | null;
      if (head === null) return void (channel.readableEnded && channel.destroy());
      channel.off('readable', read);
      const id = head.readUInt32BE(0);
      const starting = this.#programs.get(id);
      if (starting === undefined) return void channel.destroy();
      starting.connect(head.readUInt32BE(4), channel);
      if (starting.isOver) this.#programs.delete(id);
    };
    channel.on('readable', read);
  }

  #take(text: string): void {
    const lines = (this.#said + text).split('\n');
    this.#said = lines.pop() ?? '';
    for (const line of lines) this.#hear(line.split(' '));
  }

  #hear([what, ...numbers]: readonly string[]): void {
    const [id = 0, first = 0, second = 0] = numbers.map(Number);
    const program = this.#programs.get(id);
    if (what === 'up') {
      this.#isUp = true;
      return this.#up.resolve(true);
    }
    if (what === 'started') return program?.started(first);
    if (what === 'failed') program?.failed(first);
    if (what === 'ended') program?.hasEnded(first, second);
    this.#leave(id);
    if (program?.isOver === true) this.#programs.delete(id);
  }

  #leave(id: number): void {
    this.#awaited.delete(id);
    if (this.#awaited.size === 0) this.#control.unref();
  }

  async #died(): Promise<void> {
    this.#isUp = false;
    this.#up.resolve(false);
    this.#server.close();
    await Promise.all([...this.#programs.values()].map((program) => program.orphaned()));
    this.#programs.clear();
  }
}

const BACKLOG = 511;
/** An id and a channel's number. */
const HEAD_BYTES = 8;
