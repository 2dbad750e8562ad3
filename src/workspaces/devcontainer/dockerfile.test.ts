import { expect, test } from 'vitest';
import { readDockerfile } from './dockerfile.ts';

test('the images that it begins with and copies from are found, with what its arguments fill in', () => {
  const text = `ARG TAG=24
ARG "WHO"
FROM --platform=linux/amd64 docker.io/node:\${TAG} AS Build
RUN npm ci \\
  # said in between

  && npm run build
from build
COPY --from=build /app /app
COPY --from=0 /x /x
COPY --from=docker.io/caddy:2 /usr/bin/caddy /usr/bin/
FROM scratch
ENV PATH=/opt:$PATH
`;
  expect(readDockerfile(text)).toEqual({ bases: ['docker.io/node:24', 'docker.io/caddy:2'], problems: [] });
  expect(readDockerfile(text, { TAG: '22' }).bases).toEqual(['docker.io/node:22', 'docker.io/caddy:2']);
});

test('an image that only the engine could tell is refused', () => {
  expect(readDockerfile('FROM $BASE').problems).toEqual([expect.stringContaining('cannot be told')]);
  expect(readDockerfile('ARG X="--all"\nFROM ${X:-y}').problems).toHaveLength(1);
  expect(readDockerfile('FROM a\nCOPY --from=$X /a /a').problems).toEqual([expect.stringContaining('cannot be told')]);
  expect(readDockerfile('FROM a b c').problems).toHaveLength(1);
  expect(readDockerfile('# nothing').problems).toEqual(['It has no FROM.']);
});

test.each([
  ['FROM a\nRUN --mount=type=bind,from=b,target=/x cat /x/etc/shadow', 'options of RUN'],
  ['FROM a\nRUN \\\n  --security=insecure mount', 'options of RUN'],
  ['FROM a\nRUN <<EOF\nFROM b\nEOF', 'here-documents'],
  ['FROM a\nADD http://169.254.169.254/latest/meta-data /x', 'the engine itself'],
  ['FROM a\nADD git@example.org:x/y.git /x', 'the engine itself'],
  ['FROM a\nADD $WHERE /x', 'the engine itself'],
  ['FROM a\nCOPY --link=x /a /b', 'options of COPY'],
  ['FROM a\nONBUILD RUN x', 'this instruction'],
  ['#include "/etc/shadow"\nINCLUDE x\nFROM a', 'this instruction'],
  ['# syntax=example.org/evil\nFROM a', '`# syntax=`'],
  ['# escape=`\nFROM a\nRUN x `\n--y', '`# escape=`'],
  ['FROM a\rRUN --mount=x', 'line ends'],
])('%j is refused', (text, why) => {
  expect(readDockerfile(text).problems.join()).toContain(why);
});

test('what is only like it is not', () => {
  const text =
    'FROM a\nRUN echo --mount && curl http://example.org\nADD files.tar /x\nCOPY --chown=1:1 --chmod=755 a b\n';
  expect(readDockerfile(text).problems).toEqual([]);
});
