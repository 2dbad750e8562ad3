import { writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { bridgeServer } from '../../../ports/sandbox/bridge-server.ts';

// A program of its own, started in a container's network and otherwise as the harness: each port of the container's loopback leads to a
// socket of the host. It says `ready` on descriptor 3 when all listen, and ends when descriptor 4 does: with the harness, at the latest.
const [REPORT, GATE] = [3, 4];
const bridges = JSON.parse(process.argv[2] ?? '[]') as { port: number; socket: string }[];

for (const { port, socket } of bridges) {
  const server = bridgeServer(socket);
  server.listen(port, '127.0.0.1');
  await new Promise((resolve, reject) => server.once('listening', resolve).once('error', reject));
}
writeSync(REPORT, 'ready\n');
const gate = new Socket({ fd: GATE, readable: true });
gate.on('error', () => undefined);
gate.resume().once('close', () => process.exit());
