import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { sendSignal } from '../processes.ts';
import { shellWord } from '../shell-word.ts';
import { begin } from './begin.ts';
import type { BegunProcess } from './begun-process.ts';
import { isInputFile, type ProgramInput } from './program-input.ts';
import type { ProgramResult, ProgramToRun } from './run-program.ts';

/**
 * Small shells that start programs for us, each one after the other. Whoever starts a program has its own page tables copied for it and
 * stands still meanwhile: milliseconds for a process of our size, next to nothing for a shell. Nor has it channels made for it, as a
 * program that a starter starts. The program gets what it would get from us: its whole environment, its standard input, no further descriptor. A shell that has nothing to do stands in no folder that
 * somebody may want to remove, ends after a while, and with this process anyway.
 */

/** Whether a shell can start it just as it is meant. */
export function isLaunchable({ file, args, env, input }: ProgramToRun): boolean {
  return (
    (input === undefined || isSmallText(input) || isInputFile(input)) &&
    ![file, ...args, ...Object.values(env), ...textsOf(input)].some((text) => text.includes('\0')) &&
    Object.keys(env).every((name) => NAME.test(name) && !OF_SHELLS.has(name))
  );
}

/** More than that does not go through a shell. */
const MOST_INPUT = 16 * 1024;

const isSmallText = (input: ProgramInput | undefined): input is string =>
  typeof input === 'string' && input.length <= MOST_INPUT;

function textsOf(input: ProgramInput | undefined): string[] {
  if (typeof input === 'string') return [input];
  return isInputFile(input) ? [input.path] : [];
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** What one shell or another lets nobody set, or heeds itself. */
const OF_SHELLS = new Set(['UID', 'EUID', 'PPID', 'SHELLOPTS', 'BASHOPTS', 'BASH_VERSINFO', 'POSIXLY_CORRECT', 'IFS']);

export type Launch = Pick<ProgramToRun, 'file' | 'args' | 'cwd' | 'env' | 'signal'> &
  Partial<Pick<ProgramToRun, 'input'>>;

/**
 * Runs a program to its end. Aborting kills it; the call then rejects, as it does when the working directory is not there. The code of a
 * program that is not there is 127, of one that may not be started 126, of one that a signal ended more than 128.
 */
export async function launch(program: Launch): Promise<ProgramResult> {
  const shell = idle.pop() ?? (await Shell.start());
  const result = await shell.run(program);
  idle.push(shell);
  return result;
}

const idle: Shell[] = [];
const IDLE_MS = 5_000;
const NO_FOLDER = 999;

class Shell {
  readonly #process: BegunProcess;
  readonly #stdin: Socket;
  readonly #outputs: readonly [Output, Output];
  /** Nothing that a program says ends like this. */
  readonly #name = randomBytes(12).toString('hex');
  #count = 0;
  #hasEnded = false;
  #rest: NodeJS.Timeout | undefined;

  /** The leader of a session of its own: no terminal's Ctrl-C reaches it, and it can be killed together with what it runs. */
  static async start(): Promise<Shell> {
    return new Shell(await begin({ file: '/bin/sh', args: ['-s'], cwd: '/', env: { PATH: '/usr/bin:/bin' } }));
  }

  private constructor(begun: BegunProcess) {
    this.#process = begun;
    this.#stdin = begun.stdin as Socket;
    this.#stdin.on('error', () => undefined); // its end follows
    this.#outputs = [new Output(begun.stdout as Socket), new Output(begun.stderr as Socket)];
    void begun.ended.then(() => {
      this.#hasEnded = true;
      this.#retire();
      for (const output of this.#outputs) output.fail(new Error('the shell that runs programs was ended'));
    });
    begun.unref();
    this.#stdin.unref();
  }

  async run({ file, args, cwd, env, input, signal }: Launch): Promise<ProgramResult> {
    clearTimeout(this.#rest);
    const kill = () => this.#kill();
    signal?.addEventListener('abort', kill, { once: true });
    if (signal?.aborted === true) kill(); // while the shell was started
    const mark = `${this.#name}-${++this.#count}-`;
    const [out, err] = this.#outputs;
    const said = Promise.all([out.until(mark), err.until(mark)]);
    this.#stdin.write(
      `if ${cwd === undefined ? goHome() : `cd ${shellWord(cwd)}`}; then ${fed(commandOf({ file, args, env }), input)}; code=$?; else code=${NO_FOLDER}; fi; cd /\n` +
        `printf %s%03d ${mark} 0 >&2; printf %s%03d ${mark} "$code"\n`,
    );
    try {
      const [stdout, stderr] = await said;
      if (stdout.code === NO_FOLDER) throw new Error(`there is no folder ${cwd} to start ${file} in`);
      return { code: stdout.code, stdout: stdout.text, stderr: stderr.text.toString() };
    } finally {
      signal?.removeEventListener('abort', kill);
      this.#rest = setTimeout(() => this.#retire(), IDLE_MS).unref();
    }
  }

  #kill(): void {
    if (!this.#hasEnded) sendSignal(-this.#process.pid, 'SIGKILL');
  }

  #retire(): void {
    const at = idle.indexOf(this);
    if (at !== -1) idle.splice(at, 1);
    this.#stdin.end();
  }
}

interface Said {
  readonly text: Buffer;
  readonly code: number;
}

/** One of the outputs of a shell, taken apart at its marks. Keeps this process alive while something is awaited of it. */
class Output {
  readonly #stream: Socket;
  #chunks: Buffer[] = [];
  /** The last bytes of them, which may begin the mark. */
  #tail: Buffer = NOTHING;
  #awaited: (PromiseWithResolvers<Said> & { readonly mark: Buffer }) | undefined;

  constructor(stream: Socket) {
    this.#stream = stream;
    stream.on('error', () => undefined);
    stream.on('data', (chunk: Buffer) => this.#take(chunk));
    stream.unref();
  }

  /** What is said before the mark, and the code behind it. Some of what the program left behind may have spoken after it. */
  until(mark: string): Promise<Said> {
    this.#clear();
    this.#awaited = { ...Promise.withResolvers<Said>(), mark: Buffer.from(mark) };
    this.#stream.ref();
    return this.#awaited.promise;
  }

  fail(error: Error): void {
    this.#awaited?.reject(error);
    this.#awaited = undefined;
  }

  #take(chunk: Buffer): void {
    if (this.#awaited === undefined) return;
    const { mark, resolve } = this.#awaited;
    this.#chunks.push(chunk);
    const end = Buffer.concat([this.#tail, chunk]);
    const at = end.indexOf(mark);
    const codeAt = at + mark.length;
    if (at === -1 || end.length < codeAt + CODE_LENGTH) {
      this.#tail = end.subarray(-(mark.length + CODE_LENGTH));
      return;
    }
    const code = Number(end.toString('latin1', codeAt, codeAt + CODE_LENGTH));
    const all = Buffer.concat(this.#chunks);
    const before = all.subarray(0, all.length - end.length + at);
    const late = end.subarray(codeAt + CODE_LENGTH);
    this.#awaited = undefined;
    this.#stream.unref();
    this.#clear();
    resolve({ text: late.length === 0 ? before : Buffer.concat([before, late]), code });
  }

  #clear(): void {
    this.#chunks = [];
    this.#tail = NOTHING;
  }
}

const NOTHING = Buffer.alloc(0);
const CODE_LENGTH = 3;

/** To the folder of this process, or, where that is gone, to one that is there. */
function goHome(): string {
  try {
    return `cd ${shellWord(process.cwd())} 2>/dev/null || cd /`;
  } catch {
    return 'cd /';
  }
}

function fed(command: string, input: ProgramInput | undefined): string {
  if (isSmallText(input)) return `printf %s ${shellWord(input)} 2>/dev/null | ${command}`;
  return `${command} <${isInputFile(input) ? shellWord(input.path) : '/dev/null'}`;
}

function commandOf({ file, args, env }: Pick<Launch, 'file' | 'args' | 'env'>): string {
  const assignments = Object.entries(env).map(([name, value]) => `${name}=${shellWord(value)}`);
  return [...assignments, ...[file, ...args].map(shellWord)].join(' ');
}
