import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Attack, Twin } from './attack.ts';
import {
  type Answers,
  answersKindly,
  gatewayOf,
  HELLO,
  openWay,
  type Provider,
  provider,
  type Way,
  type WayOptions,
} from './gateway-way.ts';
import { perl } from './outside.ts';
import type { Said, Stage } from './stage.ts';

/** Says what each file holds on a connection of its own, and prints what comes back, until that ends or says nothing for three seconds. */
const ASKING = `use IO::Socket::INET; use IO::Select; $SIG{ALRM} = sub { exit }; alarm 25; $SIG{PIPE} = "IGNORE"; $| = 1; my $port = shift;
for my $file (@ARGV) { open(my $in, "<:raw", $file) or die; my $said = do { local $/; <$in> };
  my $c = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $port, Timeout => 5) or next;
  print $c $said; $c->flush; my $ready = IO::Select->new($c);
  while ($ready->can_read(3)) { sysread($c, my $piece, 65536) or last; print $piece; } print "\\n"; }`;

/** Has the agent say these requests on its way, byte by byte. */
export async function asks(stage: Stage, way: Way, requests: readonly string[]): Promise<Said> {
  const files = requests.map((_, n) => `request-${n}`);
  for (const [n, file] of files.entries())
    await writeFile(join(stage.layout.tree, file), Buffer.from(requests[n] ?? '', 'latin1'));
  return stage.agent(perl(ASKING, String(way.port), ...files), { egress: way.egress });
}

export interface Request {
  readonly method?: string;
  readonly path?: string;
  /** Whole lines, in place of the one with the token where there are some for it. */
  readonly lines?: readonly string[];
  readonly body?: string;
  readonly token?: string | null;
}

export const BODY = '{"model":"known","input":"Hello"}';

/** A request in bytes, with the token as a client sends it unless it is null. */
export function request(
  way: Pick<Way, 'token'>,
  { method = 'POST', path = '/v1/responses', lines = [], body = BODY, token = way.token }: Request = {},
): string {
  const head = [
    `${method} ${path} HTTP/1.1`,
    'Host: model',
    ...(token === null ? [] : [`Authorization: Bearer ${token}`]),
    'Content-Type: application/json',
    ...lines,
    `Content-Length: ${Buffer.byteLength(body, 'latin1')}`,
    'Connection: close',
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}

/** Who is asked, and what was said: what the attack has won, or undefined. */
export interface Asked {
  readonly stage: Stage;
  readonly to: Provider;
  readonly said: Said;
}

export interface Asking extends WayOptions {
  readonly name: string;
  readonly answers?: Answers;
  readonly requests: (way: Way, stage: Stage) => readonly string[] | Promise<readonly string[]>;
  /** What was won, as a word; undefined when nothing was. */
  readonly won: (asked: Asked) => string | undefined;
  /** Whoever stands in the gateway's place and takes no care. */
  readonly careless: (stage: Stage, to: Provider) => Promise<Way>;
  readonly twin?: Twin;
}

/** An attack by requests on the way to the model. The real gateway has to hold without walls, too. */
export function asking({
  name,
  answers = answersKindly,
  requests,
  won,
  careless,
  twin = IS_ANSWERED,
  ...options
}: Asking): Attack {
  const on = async (stage: Stage, open: (to: Provider) => Promise<Way>) => {
    await using to = await provider(answers);
    await using way = await open(to);
    const said = await asks(stage, way, await requests(way, stage));
    // What was never heard was not refused either.
    if (!said.output.includes('HTTP/1.1 ') && to.arrived.length === 0)
      throw new Error(`nobody answers: ${said.output}`);
    return won({ stage, to, said });
  };
  const really = async (stage: Stage) => {
    using gateway = gatewayOf(stage);
    return await on(stage, (to) => openWay(stage, { gateway, to }, options));
  };
  return {
    name,
    subject: 'gateway',
    play: async (stage) => ({ before: 'refused', after: (await really(stage)) ?? 'refused' }),
    async careless(stage) {
      const open = await really(stage);
      if (open !== undefined) throw new Error(`the gateway itself lets it through: ${open}`);
      return { before: 'refused', after: (await on(stage, (to) => careless(stage, to))) ?? 'refused' };
    },
    twin,
  };
}

/** An honest agent is answered, and the provider sees the key and not the token. */
export const IS_ANSWERED: Twin = {
  name: 'asks its model, and is answered',
  async works(stage) {
    await using to = await provider();
    using gateway = gatewayOf(stage);
    await using way = await openWay(stage, { gateway, to });
    const { output } = await asks(stage, way, [request(way)]);
    const [arrived] = to.arrived;
    if (!output.includes(HELLO) || output.includes(stage.secret)) throw new Error(`it is not answered: ${output}`);
    if (arrived?.headers.authorization !== `Bearer ${stage.secret}`)
      throw new Error('its request came without the key');
    if (JSON.stringify(arrived).includes(way.token)) throw new Error('its token was sent on');
  },
};
