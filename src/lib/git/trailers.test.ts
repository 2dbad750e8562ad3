import { execFile } from 'node:child_process';
import { expect, test } from 'vitest';
import { withTrailers } from './trailers.ts';

const RUN = { 'Switchyard-Run': 'r1' };

test('trailers become the last paragraph of a message', () => {
  expect(withTrailers('Subject', RUN)).toBe('Subject\n\nSwitchyard-Run: r1\n');
  expect(withTrailers('Subject\n\nBody: of text\nand more\n', RUN)).toBe(
    'Subject\n\nBody: of text\nand more\n\nSwitchyard-Run: r1\n',
  );
});

test('trailers join the block that is there', () => {
  expect(withTrailers('Subject\n\nSigned-off-by: A <a@b>\n', RUN)).toBe(
    'Subject\n\nSigned-off-by: A <a@b>\nSwitchyard-Run: r1\n',
  );
});

test('a trailer that is there is not repeated, so that adding twice is adding once', () => {
  const once = withTrailers('Subject', { ...RUN, 'Switchyard-Agent': 'codex' });
  expect(withTrailers(once, { ...RUN, 'Switchyard-Agent': 'codex' })).toBe(once);
});

test('a subject that looks like a trailer is none', () => {
  expect(withTrailers('fix: the thing', RUN)).toBe('fix: the thing\n\nSwitchyard-Run: r1\n');
});

test('a value cannot begin a line of its own', () => {
  expect(withTrailers('Subject', { Key: 'a\nOther: b' })).toBe('Subject\n\nKey: a Other: b\n');
});

test.each([
  'Subject',
  'Subject\n\nBody.',
  'fix: x\n\nCo-authored-by: B <b@c>',
  'A\n\nB\n\nKey: x\n  folded\nOther: y\n',
])('git reads the trailers of %j', async (message) => {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = execFile('git', ['interpret-trailers', '--parse'], (error, out) =>
    error === null ? resolve(out) : reject(error),
  );
  child.stdin?.end(withTrailers(message, RUN));
  expect(await promise).toContain('Switchyard-Run: r1\n');
});
