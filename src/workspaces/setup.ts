import { StringDecoder } from 'node:string_decoder';
import { SwitchyardError } from '../lib/error.ts';
import { type Redact, redactNothing } from '../lib/redact.ts';
import type { Sandbox } from '../ports/sandbox.ts';

export interface Setup {
  readonly command: string;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** What comes to the environment besides, asked for only when it runs. Rejects with `secret/missing`. */
  readonly secrets?: () => Promise<Readonly<Record<string, string>>>;
  /** Takes out of its output what nobody may read. */
  readonly redact?: Redact;
  readonly timeoutMs: number;
  /** Receives it in whole lines, the last perhaps without its end. */
  onOutput(text: string): void;
  /** Walls for the command where they differ from the harness git's (network, no access to the harness's git directory). */
  readonly sandbox?: Sandbox;
  /** Names what else it runs on, such as an image: another one makes other dependencies. */
  readonly identity?: string;
  /** Globs of further files of the repository, beside manifests and lockfiles, that what it makes depends on. */
  readonly inputs?: readonly string[];
}

const TAIL = 4000;
const GRACE_MS = 2000;

/** Runs a repository's setup command in its checkout. Rejects with `workspace/setup-failed`, `secret/missing`, or the reason of the signal. */
export async function runSetup(
  setup: Setup,
  { sandbox, tree, signal }: { sandbox: Sandbox; tree: string; signal: AbortSignal },
) {
  signal.throwIfAborted();
  const { redact = redactNothing } = setup;
  const secrets = await setup.secrets?.();
  await using running = await (setup.sandbox ?? sandbox).spawn({
    argv: ['sh', '-c', setup.command],
    cwd: tree,
    env: { ...setup.env, ...secrets },
  });
  let tail = '';
  const take = (text: string) => {
    if (text === '') return;
    tail = (tail + text).slice(-TAIL);
    setup.onOutput(text);
  };
  const rests: (() => void)[] = [];
  for (const stream of [running.stdout, running.stderr]) {
    const decoder = new StringDecoder();
    const redacted = redact.pieces();
    stream.on('data', (chunk: Buffer) => take(redacted.add(decoder.write(chunk))));
    rests.push(() => take(redacted.add(decoder.end()) + redacted.end()));
  }
  const late = AbortSignal.timeout(setup.timeoutMs);
  const ending = AbortSignal.any([signal, late]);
  const stop = (): void => void running.stop(GRACE_MS);
  ending.addEventListener('abort', stop, { once: true });
  const exit = await running.exited;
  for (const rest of rests) rest();
  ending.removeEventListener('abort', stop);
  signal.throwIfAborted();
  if (late.aborted) throw failed(`did not end within ${setup.timeoutMs / 1000} seconds`, tail);
  if (exit.code !== 0) throw failed(`ended with ${exit.code ?? exit.signal}`, tail);
}

function failed(how: string, tail: string): SwitchyardError {
  return new SwitchyardError({
    code: 'workspace/setup-failed',
    message: `setup ${how}:\n${tail.trim()}`,
    hint: 'Mend the `setup` command in .switchyard/config.yaml, or what it needs, then retry.',
  });
}
