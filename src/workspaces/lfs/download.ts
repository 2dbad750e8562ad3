import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { messageOf } from '../../lib/error.ts';
import { type LfsPointer, placeLfsObject } from '../../lib/git/lfs.ts';
import type { LfsEndpoint } from './endpoint.ts';

const Answer = z.object({
  objects: z.array(
    z.object({
      oid: z.string(),
      actions: z
        .object({
          download: z.object({ href: z.string(), header: z.record(z.string(), z.string()).optional() }).optional(),
        })
        .optional(),
      error: z.object({ code: z.number(), message: z.string().optional() }).optional(),
    }),
  ),
});

const BATCH = 100;
const AT_ONCE = 4;
const LONGEST_MS = 10 * 60_000;
const TYPE = 'application/vnd.git-lfs+json';

/**
 * Fetches contents by LFS's batch API into a git directory. Each is believed only when it is what its name says. Returns why some did not
 * come, undefined when all did; rejects only with the reason of the signal.
 */
export async function downloadLfs(
  pointers: readonly LfsPointer[],
  { endpoint, gitDir, signal }: { endpoint: LfsEndpoint; gitDir: string; signal: AbortSignal },
): Promise<string | undefined> {
  let why: string | undefined;
  for (let n = 0; n < pointers.length; n += BATCH) {
    try {
      const part = pointers.slice(n, n + BATCH);
      const { objects } = await ask(part, endpoint, signal);
      const left = [...objects];
      const work = async (): Promise<void> => {
        for (let one = left.shift(); one !== undefined; one = left.shift()) {
          const pointer = part.find(({ oid }) => oid === one?.oid);
          if (pointer === undefined) continue;
          why = (await fetchOne(pointer, { answer: one, endpoint, gitDir, signal })) ?? why;
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, work));
    } catch (error) {
      signal.throwIfAborted();
      return messageOf(error);
    }
  }
  return why;
}

async function ask(
  part: readonly LfsPointer[],
  { url, headers }: LfsEndpoint,
  signal: AbortSignal,
): Promise<z.output<typeof Answer>> {
  const response = await fetch(`${url}/objects/batch`, {
    method: 'POST',
    headers: { accept: TYPE, 'content-type': TYPE, ...headers },
    body: JSON.stringify({
      operation: 'download',
      transfers: ['basic'],
      objects: part.map(({ oid, size }) => ({ oid, size })),
    }),
    signal: within(signal),
  });
  if (!response.ok) throw new Error(`${new URL(url).host} answered ${response.status}`);
  return Answer.parse(await response.json());
}

interface Fetching {
  readonly answer: z.output<typeof Answer>['objects'][number];
  readonly endpoint: LfsEndpoint;
  readonly gitDir: string;
  readonly signal: AbortSignal;
}

async function fetchOne(
  { oid, size }: LfsPointer,
  { answer, endpoint, gitDir, signal }: Fetching,
): Promise<string | undefined> {
  const { href, header = {} } = answer.actions?.download ?? {};
  if (href === undefined) return answer.error?.message ?? 'the server does not have all of them';
  const [from, home] = [new URL(href), new URL(endpoint.url)];
  if (from.protocol !== 'https:' && from.origin !== home.origin) return `${from.host} is not asked without encryption`;
  const folder = join(gitDir, 'lfs/incoming');
  const draft = join(folder, `${oid}.${process.pid}`);
  await mkdir(folder, { recursive: true });
  try {
    const response = await fetch(from, {
      headers: { ...(from.origin === home.origin ? endpoint.headers : {}), ...header },
      signal: within(signal),
    });
    if (!response.ok || response.body === null) return `${from.host} answered ${response.status}`;
    await pipeline(response.body, atMost(size), createWriteStream(draft));
    return (await placeLfsObject(draft, { gitDir, oid, move: true }))
      ? undefined
      : 'a content was not what its name says';
  } catch (error) {
    signal.throwIfAborted();
    return messageOf(error);
  } finally {
    await rm(draft, { force: true });
  }
}

function atMost(size: number): Transform {
  let came = 0;
  return new Transform({
    transform(chunk: Buffer, _, done) {
      came += chunk.length;
      done(came > size ? new Error('a content was longer than its pointer says') : null, chunk);
    },
  });
}

function within(signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(LONGEST_MS)]);
}
