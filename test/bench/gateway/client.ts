import { Agent, request } from 'node:http';
import type { Wanted } from './upstream.ts';

/**
 * An agent that does nothing but ask its model, and measures that: `client.ts DIRECT ROUNDS STREAMS`, DIRECT being the model server's own address
 * or `-`. What it finds is one line of JSON on its standard output.
 */
const [direct = '-', rounds = '1', streams = '0'] = process.argv.slice(2);
const through = process.env['OPENAI_BASE_URL'] ?? '';
const key = process.env['OPENAI_API_KEY'] ?? '';
const agent = new Agent({ keepAlive: true });

/** As large as the first request of an agent is. */
const PADDING = 'p'.repeat(40 * 1024);

interface Asked {
  readonly firstByteMs: number;
  readonly wholeMs: number;
  readonly bytes: number;
}

function ask(base: string, wanted: Wanted): Promise<Asked> {
  const { promise, resolve, reject } = Promise.withResolvers<Asked>();
  const began = performance.now();
  let firstByteMs = 0;
  let bytes = 0;
  const body = JSON.stringify({ model: 'bench', input: JSON.stringify(wanted), padding: PADDING, stream: true });
  const headers = {
    authorization: `Bearer ${key}`,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  };
  const asking = request(`${base}/responses`, { method: 'POST', headers, agent }, (response) => {
    response.on('data', (piece: Buffer) => {
      if (bytes === 0) firstByteMs = performance.now() - began;
      bytes += piece.length;
    });
    response.on('end', () => resolve({ firstByteMs, wholeMs: performance.now() - began, bytes }));
    response.on('error', reject);
  });
  asking.on('error', reject);
  asking.end(body);
  return promise;
}

const ONE: Wanted = { events: 1, bytes: 20, everyMs: 0 };
const FAST: Wanted = { events: 2_000, bytes: 1_000, everyMs: 0 };
const SLOW: Wanted = { events: 300, bytes: 60, everyMs: 20 };

async function firstBytes(base: string): Promise<number> {
  return (await ask(base, ONE)).firstByteMs;
}

/** Megabytes a second, of all streams together. */
async function throughput(base: string, count: number): Promise<number> {
  const began = performance.now();
  const all = await Promise.all(Array.from({ length: count }, () => ask(base, FAST)));
  return all.reduce((sum, { bytes }) => sum + bytes, 0) / 1_000 / (performance.now() - began);
}

const found: Record<'direct' | 'through' | 'directRate' | 'throughRate', number[]> = {
  direct: [],
  through: [],
  directRate: [],
  throughRate: [],
};
for (const base of [through, direct]) if (base !== '-') await firstBytes(base); // warm-up
for (let n = 0; n < Number(rounds); n++) {
  if (direct !== '-') found.direct.push(await firstBytes(direct));
  found.through.push(await firstBytes(through));
}
const many = Number(streams);
if (many > 0) {
  if (direct !== '-') found.directRate.push(await throughput(direct, many));
  found.throughRate.push(await throughput(through, many));
  await Promise.all(Array.from({ length: many }, () => ask(through, SLOW)));
}
process.stdout.write(`${JSON.stringify(found)}\n`);
