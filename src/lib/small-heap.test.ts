import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

/** Makes much that is garbage soon, then tells how large the space for young objects has become. */
const churn = `
  let kept = [];
  for (let round = 0; round < 100; round++) kept = Array.from({ length: 20_000 }, (_, n) => ({ n, text: 'x' + n, list: [n] }));
  const { getHeapSpaceStatistics } = await import('node:v8');
  console.log(getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').space_size, kept.length);
`;

async function youngSpace(before: string): Promise<number> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', before + churn]);
  return Number.parseInt(stdout, 10);
}

test('a process that is told to stay small does, where another one grows', async () => {
  const module = new URL('small-heap.ts', import.meta.url).href;
  const small = await youngSpace(`const { keepHeapSmall } = await import(${JSON.stringify(module)}); keepHeapSmall();`);
  expect(small * 4).toBeLessThan(await youngSpace(''));
});
