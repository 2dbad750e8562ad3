import type { Readable } from 'node:stream';

/**
 * The first line of a stream, or undefined when it ends without one. What follows is read and dropped, so that the
 * writer never finds a closed or a full pipe.
 */
export function firstLine(stream: Readable): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  let text = '';
  const collect = (chunk: Buffer) => {
    text += chunk.toString('utf8');
    const end = text.indexOf('\n');
    if (end === -1) return;
    stream.off('data', collect);
    stream.resume();
    resolve(text.slice(0, end));
  };
  stream.on('data', collect);
  stream.once('close', () => resolve(undefined));
  return promise;
}
