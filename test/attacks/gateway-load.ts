import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { brotliCompressSync, constants, gunzip, gzipSync, zstdCompressSync } from 'node:zlib';
import { tempRepository } from '../../src/testing/temp-repository.ts';
import type { Attack, Canary } from './attack.ts';
import { asks, IS_ANSWERED, request } from './gateway-asking.ts';
import { CALLING, calling, daemonOf, grownBy, meteredAt } from './gateway-installed.ts';
import {
  type Answers,
  answersKindly,
  carelessWay,
  gatewayOf,
  HELLO,
  openWay,
  type Provider,
  provider,
  type Way,
} from './gateway-way.ts';
import { perl } from './outside.ts';
import type { Stage } from './stage.ts';

/** What an agent, or a provider, may send to take the gateway's memory and time from everybody else. */

const MB = 2 ** 20;

/** 400 MB of JSON, in little. */
const unpacked = (): Buffer =>
  Buffer.concat([Buffer.from('{"model":"known","input":"'), Buffer.alloc(400 * MB, 'a'), Buffer.from('"}')]);
/** 30 MB that are ten million things. */
const parts = (): Buffer => Buffer.from(`{"model":"known","input":[${'[],'.repeat(10_000_000)}1]}`);

interface Load {
  readonly name: string;
  readonly answers?: Answers;
  /** Files that the agent finds beside it. */
  readonly files?: () => Readonly<Record<string, string>>;
  readonly program: string;
  /** Megabytes by which the daemon may grow at the most while it carries that. */
  readonly most: number;
}

const file = (name: string): string => `do { open(my $in, "<:raw", "${name}") or die; local $/; <$in> }`;
const UNPACK = 'for f in *.b64; do test -f $f && base64 -d $f >${f%.b64}; done';
const TEN_AT_ONCE = (body: string, lines = ''): string =>
  `my @all = map { begin(${body}${lines}) } 1 .. 10; hear($_) for @all;`;

const stream = (from: string, piece: Buffer, times: number): Answers => {
  return async (_arrived, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(from);
    let goOn = (): void => undefined;
    response.on('drain', () => goOn());
    response.on('close', () => goOn());
    for (let n = 0; n < times && !response.destroyed; n++) {
      if (response.write(piece)) continue;
      await new Promise<void>((resolve) => {
        goOn = resolve;
      });
    }
    response.end();
  };
};

const FAST = { [constants.BROTLI_PARAM_QUALITY]: 1 };

const LOADS: readonly Load[] = [
  {
    name: 'sends little that unpacks to gigabytes',
    most: 250,
    files: () => ({
      'body.gzip.b64': gzipSync(unpacked()).toString('base64'),
      'body.br.b64': brotliCompressSync(unpacked(), { params: FAST }).toString('base64'),
      'body.zstd.b64': zstdCompressSync(unpacked()).toString('base64'),
    }),
    program: ['gzip', 'br', 'zstd']
      .map((name) => TEN_AT_ONCE(file(`body.${name}`), `, "Content-Encoding: ${name}"`))
      .join(' '),
  },
  {
    name: 'sends little that is ten million things to whoever reads it',
    most: 250,
    files: () => ({ 'body.gzip.b64': gzipSync(parts()).toString('base64') }),
    program: TEN_AT_ONCE(file('body.gzip'), ', "Content-Encoding: gzip"'),
  },
  {
    name: 'sends many requests at once, each as large as one may be',
    most: 500,
    answers: async (arrived, response) => {
      await new Promise((resolve) => setTimeout(resolve, 3_000));
      await answersKindly(arrived, response);
    },
    program: `my $body = "{\\"model\\":\\"known\\",\\"input\\":\\"" . ("a" x 31_000_000) . "\\"}"; my @pids; for (1 .. 24) { my $pid = fork; if (!$pid) { hear(begin($body)); exit } push @pids, $pid } waitpid($_, 0) for @pids;`,
  },
  {
    name: 'is sent an answer without an end, and a line of one without an end, and does not read them',
    most: 100,
    answers: (arrived, response) =>
      arrived.body.includes('line')
        ? stream('data: {"type":"', Buffer.alloc(MB, 'a'), 200)(arrived, response)
        : stream(
            '',
            Buffer.from('data: {"type":"response.output_text.delta","delta":"word"}\n\n'.repeat(10_000)),
            100,
          )(arrived, response),
    program: `my $slow = begin("{\\"model\\":\\"slow\\"}"); my @all = map { begin("{\\"model\\":\\"$_\\"}") } ("line", "much"); hear($_) for @all;`,
  },
];

/** Holds on to all that comes, as it is meant. */
function loads({ name, answers = answersKindly, files = () => ({}), program, most }: Load): Attack {
  const told = (megabytes: number): Canary => ({
    before: 'bounded',
    after: megabytes <= most ? 'bounded' : `${megabytes} MB more`,
  });
  return {
    name,
    subject: 'gateway load',
    play: ({ level }) => onDaemon(level),
    async careless(stage) {
      for (const [path, bytes] of Object.entries(files())) await writeFile(join(stage.layout.tree, path), bytes);
      await using to = await provider(answers);
      const held = { bytes: 0 };
      await using way = await carelessHolder(to, held);
      await stage.agent(
        `${UNPACK}; OPENAI_BASE_URL=http://127.0.0.1:${way.port}/v1 OPENAI_API_KEY=x ${calling(program)}`,
        { timeoutMs: 60_000 },
      );
      return told(Math.round(held.bytes / MB));
    },
    twin: IS_ANSWERED,
  };

  async function onDaemon(level: Stage['level']): Promise<Canary> {
    const metered = await meteredAt(level, { isBounded: false });
    metered.answers = answers;
    await using repository = await tempRepository({
      'README.md': 'x\n',
      ...files(),
      'agent.sh': `${UNPACK}; ${calling(program)}`,
      '.switchyard/config.yaml': 'checks: {}\nsetup: none\n',
    });
    const pid = await daemonOf(metered);
    const grown = await grownBy(pid, async () => {
      const { stdout } = await metered.at.cli(['run', 'Be good', '--agent', 'hostile', '--json'], {
        cwd: repository.path,
      });
      if (!stdout.includes('"run"')) throw new Error('no run began');
    });
    if ((await daemonOf(metered)) !== pid) throw new Error('the daemon has died');
    if (process.env['SHOW_MEMORY'] !== undefined) process.stderr.write(`${name}: ${grown} MB\n`);
    return told(grown);
  }
}

/** Unpacks whatever it is sent, reads it whole, and holds the answers too. */
async function carelessHolder(to: Provider, held: { bytes: number }): Promise<Way> {
  let hasUnpacked = false;
  const server = createServer((incoming, response) => {
    const pieces: Buffer[] = [];
    incoming.on('data', (piece: Buffer) => {
      held.bytes += piece.length;
      pieces.push(piece);
    });
    incoming.on('error', () => undefined);
    incoming.on('end', () => {
      // One of them is enough to see what becomes of all.
      if (incoming.headers['content-encoding'] === 'gzip' && !hasUnpacked) {
        hasUnpacked = true;
        gunzip(Buffer.concat(pieces), (_error, plain) => {
          // Each thing in it takes as much as twenty of its letters.
          held.bytes += plain.includes('[],[]') ? plain.length * 13 : plain.length;
          response.end();
        });
        return;
      }
      void fetch(`http://127.0.0.1:${to.port}${incoming.url}`, { method: 'POST', body: Buffer.concat(pieces) })
        .then(async (answer) => {
          for await (const piece of answer.body as AsyncIterable<Uint8Array>) held.bytes += piece.length;
        })
        .catch(() => undefined)
        .finally(() => response.end());
    });
  });
  return carelessWay(server);
}

/** Requests that never come to an end, and answers that nobody reads. */
const HOLDING = `${CALLING}
my @all; for (1 .. 300) { my $c = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $port, Timeout => 1) or next; print $c "POST /v1/responses HTTP/1.1\\r\\nHost: x\\r\\nAuthorization: Bearer $token\\r\\nContent-Length: 1000\\r\\n\\r\\n{"; $c->flush; push @all, $c }
for (1 .. 100) { push @all, begin("{\\"model\\":\\"known\\"}") }
print "HELD\\n"; sleep 30;`;

const holdsUp: Attack = {
  name: 'holds hundreds of connections open and lets nothing on them end, so that no other run is answered',
  subject: 'gateway load',
  play: heldUpAtGateway,
  async careless(stage) {
    const open = await heldUpAtGateway(stage);
    if (open.after !== open.before) throw new Error('another run is not answered by the gateway itself');
    const server = createServer((incoming, response) => {
      incoming.resume().on('end', () => void answersKindly({ method: '', path: '', headers: {}, body: '' }, response));
    });
    server.maxConnections = 200;
    await using way = await carelessWay(server);
    return await heldUp(stage, way, way);
  },
  twin: IS_ANSWERED,
};

async function heldUpAtGateway(stage: Stage): Promise<Canary> {
  await using to = await provider();
  using gateway = gatewayOf(stage);
  await using own = await openWay(stage, { gateway, to });
  await using other = await openWay(stage, { gateway, to });
  return await heldUp(stage, own, other);
}

async function heldUp(stage: Stage, own: Way, other: Way): Promise<Canary> {
  const sandbox = stage.sandboxOf({ egress: own.egress });
  const env = { OPENAI_BASE_URL: `http://127.0.0.1:${own.port}/v1`, OPENAI_API_KEY: own.token };
  await using holding = await sandbox.spawn({
    argv: ['/bin/sh', '-c', perl(HOLDING)],
    cwd: stage.layout.tree,
    env: { ...stage.envIn(sandbox), ...env },
  });
  holding.stderr.resume();
  await new Promise((resolve) => holding.stdout.once('data', resolve));
  const { output } = await asks(stage, other, [request(other)]);
  return { before: 'answered', after: output.includes(HELLO) ? 'answered' : 'not answered' };
}

export const gatewayLoad: readonly Attack[] = [...LOADS.map(loads), holdsUp];
