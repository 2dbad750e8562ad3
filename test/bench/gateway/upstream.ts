import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * A model server for the bench, as a program of its own: says its port, and answers each request with as many events as its input says, so many
 * bytes in each, so long after one another.
 */
export interface Wanted {
  readonly events: number;
  readonly bytes: number;
  readonly everyMs: number;
}

const server = createServer((request, response) => {
  const pieces: Buffer[] = [];
  request.on('data', (piece: Buffer) => pieces.push(piece));
  request.on('end', () => {
    const { input } = JSON.parse(Buffer.concat(pieces).toString()) as { input: string };
    void answer(response, JSON.parse(input) as Wanted);
  });
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));

async function answer(response: ServerResponse, { events, bytes, everyMs }: Wanted): Promise<void> {
  const say = (type: string, more: object) =>
    response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`);
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  say('response.created', { response: { model: 'bench' } });
  const delta = 'x'.repeat(bytes);
  response.once('close', () => response.emit('drain'));
  for (let n = 0; n < events && !response.destroyed; n++) {
    const hasRoom = say('response.output_text.delta', { item_id: 'm', output_index: 0, content_index: 0, delta });
    if (everyMs > 0) await new Promise((resolve) => setTimeout(resolve, everyMs));
    else if (!hasRoom) await once(response, 'drain');
  }
  const usage = { input_tokens: 10, output_tokens: events, total_tokens: events + 10 };
  say('response.completed', { response: { model: 'bench', status: 'completed', usage } });
  response.end();
}
