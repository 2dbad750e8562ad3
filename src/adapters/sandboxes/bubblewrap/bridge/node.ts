/**
 * The same bridge where there is no Perl: `sh -c NODE_BRIDGE_START sh NODE FILE PORT SOCKET… -- PROGRAM ARGUMENT…`. The shell becomes the
 * program when the bridge, which is the init's child, has said that its ports are open.
 */
export const NODE_BRIDGE_START = String.raw`node=$1 bridge=$2 ways=
shift 2
while [ "$1" != -- ]; do ways="$ways $1 $2"; shift 2; done
shift
ready=$( (NODE_OPTIONS= "$node" "$bridge" $ways 3>&1 </dev/null >/dev/null 2>&1 &) )
[ "$ready" = ready ] || { echo "the sandbox's bridge did not start" >&2; exit 126; }
unset node bridge ways ready
exec "$@"
`;

export const NODE_BRIDGE = String.raw`const { closeSync, writeSync } = require('node:fs');
const { connect, createServer } = require('node:net');

process.title = 'bridge';
const words = process.argv.slice(2);
let awaited = words.length / 2;
for (let at = 0; at < words.length; at += 2) {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    const far = connect({ path: words[at + 1], allowHalfOpen: true });
    for (const [one, other] of [[near, far], [far, near]]) {
      one.pipe(other);
      one.on('error', () => other.destroy());
      one.on('close', () => one.readableEnded || other.destroy());
    }
  });
  server.listen({ port: Number(words[at]), host: '127.0.0.1', backlog: 511 }, () => {
    awaited -= 1;
    if (awaited > 0) return;
    writeSync(3, 'ready\n');
    closeSync(3);
  });
}
`;
