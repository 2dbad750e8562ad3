import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import type { SandboxLevel } from '../../src/domain/sandbox.ts';
import type { Installation } from '../support/installation.ts';
import { type Answers, answersKindly, type Provider, provider } from './gateway-way.ts';
import { AGENT, closeWithInstallations, install } from './installed.ts';

/** A whole Switchyard whose agents go through its gateway to one provider; the same for all attacks of a level. */
export interface Metered {
  readonly at: Installation;
  readonly provider: Provider;
  /** Which nothing that is an agent's may ever hold. */
  readonly key: string;
  /** How the provider answers from now on. */
  answers: Answers;
}

const metered = new Map<string, Promise<Metered>>();

/** With the budget, or without any. */
export function meteredAt(level: SandboxLevel, { isBounded = true } = {}): Promise<Metered> {
  const name = `${level} ${isBounded}`;
  const known = metered.get(name) ?? make(level, isBounded);
  metered.set(name, known);
  return known;
}

/** What all runs on one repository may use together. */
export const BUDGET = 20_000;

async function make(level: SandboxLevel, isBounded: boolean): Promise<Metered> {
  const key = `KEY${randomBytes(9).toString('hex')}`;
  const to = await provider((arrived, response) => made.answers(arrived, response));
  const hostile = {
    kind: 'custom',
    command: ['sh', '-c', AGENT],
    endpoint: { api: 'responses', baseUrl: `http://127.0.0.1:${to.port}/v1`, key: { env: 'MODEL_KEY' } },
  };
  // One that says itself what it has used, and one of whose use nobody else hears.
  const liar = { ...hostile, format: 'jsonl' };
  const { endpoint: _, ...alone } = liar;
  const bounded = [{ name: 'repository', per: 'repository', each: 'ever', tokens: BUDGET }];
  const prices = { known: { input: 1, output: 10 } };
  const at = await install(
    level,
    { agents: { hostile, liar, alone }, budgets: isBounded ? bounded : [], prices },
    { MODEL_KEY: key },
  );
  closeWithInstallations({
    async [Symbol.asyncDispose]() {
      metered.clear();
      await at[Symbol.asyncDispose]();
      await to[Symbol.asyncDispose]();
    },
  });
  await at.startDaemon();
  const made: Metered = { at, provider: to, key, answers: answersKindly };
  return made;
}

export async function daemonOf({ at }: Metered): Promise<number> {
  return (await at.client.call('health', {})).pid;
}

const KILOBYTES = 1024;

/** By how many megabytes a process grew at the most while something was done. */
export async function grownBy(pid: number, work: () => Promise<unknown>): Promise<number> {
  // From here on, the most that it has had is counted anew.
  await writeFile(`/proc/${pid}/clear_refs`, '5');
  const before = await kilobytes(pid, 'VmRSS');
  await work();
  return Math.round(((await kilobytes(pid, 'VmHWM')) - before) / KILOBYTES);
}

async function kilobytes(pid: number, name: string): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
}

/** What hostile agents have in common: they know their way from their environment. No single quotes: it stands in some. */
export const CALLING = `use IO::Socket::INET; use IO::Select; $SIG{PIPE} = "IGNORE"; $SIG{ALRM} = sub { exit }; alarm 40; $| = 1;
my ($port) = $ENV{OPENAI_BASE_URL} =~ /:(\\d+)/; my $token = $ENV{OPENAI_API_KEY};
sub begin { my ($body, @lines) = @_; my $c = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $port, Timeout => 5) or return;
  print $c join("\\r\\n", "POST /v1/responses HTTP/1.1", "Host: x", "Authorization: Bearer $token", "Content-Type: application/json", @lines, "Content-Length: " . length $body, "Connection: close", "", $body);
  $c->flush; return $c }
sub hear { my ($c, $until) = @_; my $all = ""; while (defined $c && sysread($c, my $piece, 65536)) { $all .= $piece; last if defined $until && index($all, $until) >= 0; $all = substr($all, -100000) if length $all > 1000000 } return $all }`;

/** A program of such an agent, as a shell runs it. */
export function calling(program: string): string {
  return `perl -e '${`${CALLING}\n${program}`.replaceAll('\n', ' ')}'`;
}
