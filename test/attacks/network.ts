import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdir, open } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { type Attack, KEPT, saw, scriptTwin, trick } from './attack.ts';
import { perl } from './outside.ts';

/** Somebody outside who tells the secret to whoever comes. */
async function teller(secret: string, at: string | { port: number }): Promise<Server & AsyncDisposable> {
  const server = createServer((connection) => {
    connection.on('error', () => undefined);
    connection.end(secret);
  });
  if (typeof at === 'string') server.listen(at);
  else server.listen(at.port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

const OWN_LOOPBACK = scriptTwin(
  'talks to a server of its own on its loopback',
  perl(
    'use IO::Socket::INET; my $s = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1") or die; my $port = $s->sockport; if (!fork) { my $c = $s->accept; print $c "answered"; exit } my $c = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $port) or die; print <$c>; wait',
  ),
  'answered',
);
const OWN_SOCKET = scriptTwin(
  'talks by a socket in its workspace',
  perl(
    'use IO::Socket::UNIX; my $s = IO::Socket::UNIX->new(Listen => 1, Local => "own.sock") or die; if (!fork) { my $c = $s->accept; print $c "answered"; exit } my $c = IO::Socket::UNIX->new(Peer => "own.sock") or die; print <$c>; wait',
  ),
  'answered',
);

const ASK =
  'use Socket; socket(my $s, AF_UNIX, SOCK_STREAM, 0); connect($s, pack_sockaddr_un($ARGV[0])) and print <$s>';

function asksSocket(whose: string, path: string): Attack {
  return {
    name: `asks ${whose}, by its socket`,
    subject: 'sockets (8)',
    async play(stage) {
      const socket = join(stage.folder, path);
      await mkdir(dirname(socket), { recursive: true });
      await using _ = await teller(stage.secret, socket);
      return saw(await stage.agent(perl(ASK, socket)), stage.secret);
    },
    twin: OWN_SOCKET,
  };
}

function hasRoute(where: string, address: string): Attack {
  return trick({
    name: `has a way to ${where}`,
    subject: 'network (8)',
    // For datagrams, connecting sends nothing: the kernel only looks for a way.
    script: () =>
      perl(
        'use Socket; socket(my $s, AF_INET, SOCK_DGRAM, 0); print "REACHED" if connect($s, pack_sockaddr_in(80, inet_aton($ARGV[0])))',
        address,
      ),
    twin: OWN_LOOPBACK,
    lacks: async (stage) =>
      (await stage.agent(`command -v ip >/dev/null && ip route get ${address}`)).code === 0
        ? undefined
        : 'this host has none itself',
  });
}

const DESCRIPTORS = 'for f in /proc/self/fd/*; do [ -f $f ] && cat $f; done; echo looked';

export const networkAttacks: readonly Attack[] = [
  {
    name: "asks a server on the host's loopback",
    subject: 'network (8)',
    async play(stage) {
      await using server = await teller(stage.secret, { port: 0 });
      const { port } = server.address() as AddressInfo;
      const ask =
        'use IO::Socket::INET; my $c = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $ARGV[0]) or exit 1; print <$c>';
      return saw(await stage.agent(perl(ask, String(port))), stage.secret);
    },
    twin: OWN_LOOPBACK,
  },
  {
    name: 'tells a secret to a name server, as a name to look up',
    subject: 'network (8)',
    async play(stage) {
      const server = createSocket('udp4');
      let heard = '';
      server.on('message', (message) => {
        heard += message.toString('latin1');
      });
      server.bind(0, '127.0.0.1');
      await once(server, 'listening');
      const send =
        'use Socket; socket(my $s, AF_INET, SOCK_DGRAM, 0); send($s, $ARGV[0], 0, pack_sockaddr_in($ARGV[1], inet_aton("127.0.0.1")))';
      await stage.agent(perl(send, stage.secret, String(server.address().port)));
      // What was sent arrives before what is sent after it.
      server.send('END', server.address().port, '127.0.0.1');
      while (!heard.includes('END')) await once(server, 'message');
      server.close();
      return { before: KEPT, after: heard.includes(stage.secret) ? 'told' : KEPT };
    },
    twin: OWN_LOOPBACK,
  },
  hasRoute("the cloud's metadata", '169.254.169.254'),
  hasRoute('private networks', '10.0.0.1'),
  hasRoute('the internet', '198.51.100.1'),
  asksSocket("the person's SSH agent", 'person/.ssh/agent.sock'),
  asksSocket("Switchyard's daemon", 'switchyard/daemon.sock'),
  asksSocket('the database', 'switchyard/pg/.s.PGSQL.5432'),
  asksSocket('the container engine', 'run/docker.sock'),
  asksSocket("the person's session (D-Bus, X11, Wayland)", 'run/user/bus'),
  asksSocket("the person's terminals (tmux)", 'tmux-0/default'),
  asksSocket("another run's way out", 'switchyard/egress/run2.sock'),
  {
    name: 'asks a service by a socket without a file (abstract)',
    subject: 'sockets (8)',
    async play(stage) {
      const name = `attack-${stage.secret}`;
      await using _ = await teller(stage.secret, `\0${name}`);
      const ask = ASK.replace('pack_sockaddr_un($ARGV[0])', 'pack("S", AF_UNIX) . "\\0" . $ARGV[0]');
      return saw(await stage.agent(perl(ask, name)), stage.secret);
    },
    twin: OWN_SOCKET,
  },
  {
    name: 'reads a file that the harness has open',
    subject: 'processes',
    async play(stage) {
      await using _ = await open(await stage.put('switchyard/open'), 'r');
      return saw(await stage.agent(DESCRIPTORS), stage.secret);
    },
    async careless(stage) {
      await using file = await open(await stage.put('switchyard/open'), 'r');
      const child = spawn('/bin/sh', ['-c', DESCRIPTORS], { stdio: ['ignore', 'pipe', 'ignore', file.fd] });
      const [output] = (await once(child.stdout as Readable, 'data')) as [Buffer];
      return saw({ output: output.toString() }, stage.secret);
    },
    twin: scriptTwin('reads and writes its three streams', 'cat && echo out && echo err >&2', 'out'),
  },
];
