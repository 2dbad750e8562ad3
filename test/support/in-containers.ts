import { afterAll, describe, expect, test } from 'vitest';
import { makeTestImage } from '../../src/adapters/sandboxes/container/fixture/image.ts';

type TestImage = Exclude<Awaited<ReturnType<typeof makeTestImage>>, string>;

/** Registers cases that need an image to run programs in; without an engine they are left out, and the reason is said. */
export async function inContainers(cases: (image: TestImage) => void): Promise<void> {
  const image = await makeTestImage(['git']);
  afterAll(async () => {
    if (typeof image !== 'string') await image[Symbol.asyncDispose]();
  });
  test('there is an engine with an image', (context) => {
    if (typeof image === 'string') context.skip(image);
    expect(image).toMatchObject({ name: 'switchyard-test' });
  });
  describe.skipIf(typeof image === 'string')('in containers', () => {
    if (typeof image !== 'string') cases(image);
  });
}
