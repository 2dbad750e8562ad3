import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { createEgress } from '../../src/gateway/egress/create.ts';
import type { Egress, EgressRules } from '../../src/ports/egress.ts';
import { type Attack, type Canary, KEPT, saw } from './attack.ts';
import { perl } from './outside.ts';
import type { Said, Stage } from './stage.ts';

/** A server of the person's own that tells the secret to whoever comes, whatever he says. */
async function teller(secret: string): Promise<Server & AsyncDisposable> {
  const server = createServer((connection) => {
    connection.on('error', () => undefined).resume();
    connection.end(`HTTP/1.1 200 OK\r\nContent-Length: ${secret.length}\r\nConnection: close\r\n\r\n${secret}`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** The ways out as the daemon makes them. */
const waysOut = (stage: Stage, rules: Partial<EgressRules>): Promise<Egress> =>
  createEgress({ folder: join(stage.home, 'sockets'), hostEnv: {} })(
    { hosts: ['allowed.invalid'], packages: false, loopback: [], ...rules },
    () => undefined,
  );

/** Says each request to the proxy that its environment names, or, where there is none, to whom the request is for; prints what comes back. */
const ASKING = `use IO::Socket::INET; $SIG{ALRM} = sub { exit }; alarm 15;
my ($proxy) = ($ENV{HTTP_PROXY} // "") =~ m{//([^/]+)};
my $port = shift;
for my $host (@ARGV) { for my $how ("CONNECT", "GET") {
  my $c = IO::Socket::INET->new(PeerAddr => $proxy // "127.0.0.1:$port", Timeout => 5) or next;
  my $at = $how eq "GET" ? "http://$host:$port/" : "$host:$port";
  print $c "$how $at HTTP/1.1\\r\\nHost: $host:$port\\r\\n\\r\\n";
  sysread($c, my $said, 4096); print $said;
  if ($how eq "CONNECT" && $said =~ m{^HTTP/1.. 2}) { print $c "GET / HTTP/1.1\\r\\n\\r\\n"; sysread($c, $said, 4096); print $said; }
} }`;

const asking = (port: number, hosts: readonly string[]) => perl(ASKING, String(port), ...hosts);

function asks(name: string, hosts: readonly string[], rules: Partial<EgressRules> = {}): Attack {
  const ask = async (stage: Stage, options: { egress?: Egress }): Promise<Canary> => {
    await using server = await teller(stage.secret);
    const { port } = server.address() as AddressInfo;
    return saw(await stage.agent(asking(port, hosts), options), stage.secret);
  };
  return {
    name: `has the proxy lead it to ${name}`,
    subject: 'ways out (8)',
    async play(stage) {
      await using egress = await waysOut(stage, rules);
      return ask(stage, { egress });
    },
    careless: (stage) => ask(stage, {}),
    twin: {
      name: 'reaches a port of the host that it is given, and is told what is refused',
      async works(stage) {
        await using server = await teller(stage.secret);
        const { port } = server.address() as AddressInfo;
        await using egress = await waysOut(stage, { loopback: [port] });
        const given = await stage.agent(perl(GIVEN, String(port)), { egress });
        const refused: Said = await stage.agent(asking(443, ['other.invalid']), { egress });
        if (!given.output.includes(stage.secret)) throw new Error(`it is not reached: ${given.output}`);
        if (!refused.output.includes('403')) throw new Error(`it is not told: ${refused.output}`);
      },
    },
  };
}

const GIVEN =
  'use IO::Socket::INET; my $c = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $ARGV[0]) or die; print $c "GET / HTTP/1.1\\r\\n\\r\\n"; print <$c>';

const LOOPBACK = [
  '127.0.0.1',
  'localhost',
  '127.1',
  '0.0.0.0',
  '2130706433',
  '0x7f000001',
  '[::1]',
  '[::ffff:127.0.0.1]',
];

export const waysOutAttacks: readonly Attack[] = [
  asks("the host's loopback, in any spelling", LOOPBACK),
  asks("the host's loopback, by a name that is allowed and means it", ['localhost', 'allowed.localhost'], {
    hosts: ['localhost', '*.localhost'],
  }),
  {
    ...asks("the cloud's metadata, or a host that is not allowed", []),
    async play(stage) {
      await using egress = await waysOut(stage, {});
      const hosts = [
        '169.254.169.254',
        '[::ffff:169.254.169.254]',
        'not-allowed.invalid',
        'allowed.invalid.evil.invalid',
      ];
      const said = await stage.agent(`${asking(80, hosts)}; ${asking(443, hosts)}`, { egress });
      return { before: KEPT, after: / 200 /.test(said.output) || !/ 4\d\d | 5\d\d /.test(said.output) ? 'led' : KEPT };
    },
    async careless(stage) {
      await using server = await teller(stage.secret);
      const { port } = server.address() as AddressInfo;
      return saw(await stage.agent(asking(port, ['169.254.169.254'])), stage.secret);
    },
  },
];
