import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { processesWith, uniqueSleep } from '../testing/marked-processes.ts';
import { plainSandbox } from '../testing/plain-sandbox.ts';
import { tempFolder, writeFiles } from '../testing/temp-repository.ts';
import { runFix } from './fix.ts';
import { type Check, type CheckRequest, type CheckResult, runCheck } from './run.ts';

const env = { PATH: process.env['PATH'] ?? '' };

async function checking(
  check: Partial<Check>,
  more: Partial<CheckRequest> & { files?: Record<string, string> } = {},
): Promise<CheckResult> {
  await using folder = await tempFolder();
  await writeFiles(folder.path, more.files ?? {});
  return await runCheck({
    check: { name: 'test', kind: 'test', run: 'true', ...check },
    workspaceFolder: folder.path,
    sandbox: plainSandbox(),
    env,
    signal: new AbortController().signal,
    ...more,
  });
}

test('exit code 0 is a pass, whatever the output says', async () => {
  const result = await checking({ run: 'echo src/a.c:1:1: error: no' });
  expect(result).toMatchObject({ name: 'test', kind: 'test', verdict: 'pass', items: [], exitCode: 0 });
  expect(result.report).toMatch(/^test: passed \(/);
});

test('another exit code is a failure, with items and the end of the output', async () => {
  const result = await checking({ run: 'echo building; echo "src/a.c:1:2: error: no such thing" >&2; exit 3' });
  expect(result).toMatchObject({
    verdict: 'fail',
    exitCode: 3,
    items: [{ file: 'src/a.c', line: 1, column: 2, message: 'no such thing' }],
  });
  expect(result.report).toMatch(/^test: failed with exit code 3 \(.*\)\ncommand: echo building/);
  expect(result.report).toContain('- src/a.c:1:2  no such thing');
  expect(result.report).toContain('output:\nbuilding\n');
});

test('runs in the workspace with the given environment and nothing else', async () => {
  const result = await checking(
    { run: 'cat here.txt; env | cut -d= -f1 | sort | tr "\\n" " "; exit 1' },
    { env: { ...env, WORD: 'x' }, files: { 'here.txt': 'found\n' } },
  );
  expect(result.report).toContain('found\n');
  expect(result.report).toContain('WORD');
  expect(result.report).not.toContain('HOME');
});

test('one that does not end in time is stopped, with all that it started, and keeps what it said', async () => {
  const marker = uniqueSleep();
  const result = await checking({ run: `echo started; sleep ${marker} & sleep ${marker}`, timeoutMs: 300 });
  expect(result).toMatchObject({ verdict: 'timeout', exitCode: null });
  expect(result.report).toContain('It had 0.3 s.');
  expect(result.report).toContain('started');
  expect(processesWith(marker)).toEqual([]);
});

test('a budget makes the time shorter, never longer', async () => {
  expect(await checking({ run: 'sleep 30' }, { budgetMs: 200 })).toMatchObject({ verdict: 'timeout' });
  expect(await checking({ run: 'sleep 30', timeoutMs: 200 }, { budgetMs: 60_000 })).toMatchObject({
    verdict: 'timeout',
  });
});

test('the budget of the check itself holds for changed files only', async () => {
  const slow = { run: 'sleep 0.5', changed: 'sleep 30; true {files}', budgetMs: 200 };
  expect(await checking(slow)).toMatchObject({ verdict: 'pass' });
  expect(await checking(slow, { changedFiles: ['a'], files: { a: '' } })).toMatchObject({ verdict: 'timeout' });
});

test('a process that a passing check leaves behind ends with it', async () => {
  const marker = uniqueSleep();
  expect(await checking({ run: `sleep ${marker} & echo done` })).toMatchObject({ verdict: 'pass' });
  expect(processesWith(marker)).toEqual([]);
});

test('an abort ends it and rejects with the reason', async () => {
  const marker = uniqueSleep();
  const abort = new AbortController();
  const running = checking({ run: `sleep ${marker}` }, { signal: abort.signal });
  await sleep(200);
  abort.abort(new Error('cancelled'));
  await expect(running).rejects.toThrow('cancelled');
  expect(processesWith(marker)).toEqual([]);
});

test('one that was aborted before starts nothing', async () => {
  const sandbox = plainSandbox();
  await expect(checking({}, { sandbox, signal: AbortSignal.abort(new Error('too late')) })).rejects.toThrow('too late');
  expect(sandbox.started).toEqual([]);
});

test('a command that does not exist is an error of the check, named', async () => {
  const result = await checking({ run: 'no-such-tool --all' });
  expect(result).toMatchObject({ verdict: 'error', exitCode: 127 });
  expect(result.report).toContain('command not found: no-such-tool');
});

test('a file that is no program is an error of the check', async () => {
  const result = await checking({ run: './script' }, { files: { script: 'true' } });
  expect(result).toMatchObject({ verdict: 'error', exitCode: 126 });
  expect(result.report).toContain('cannot be executed');
});

test('a sandbox that cannot start anything is an error of the check', async () => {
  const result = await checking({}, { workspaceFolder: '/nonexistent/workspace' });
  expect(result).toMatchObject({ verdict: 'error', exitCode: null, items: [] });
  expect(result.report).toContain('/nonexistent/workspace does not exist');
});

test('one that is killed has failed, and the report says by what', async () => {
  const result = await checking({ run: 'kill -KILL $$' });
  expect(result).toMatchObject({ verdict: 'fail', exitCode: null });
  expect(result.report).toContain('ended by SIGKILL');
});

test('a flood of output is bounded: its beginning and its end are kept', async () => {
  const result = await checking({
    run: 'echo first.c:1:1: error: at the beginning; yes filler | head -c 20000000; echo last words; exit 1',
  });
  expect(result.items).toMatchObject([{ file: 'first.c' }]);
  expect(result.report).toContain('last words');
  expect(result.report.length).toBeLessThan(10_000);
});

test('one endless line is bounded', async () => {
  const result = await checking({ run: 'head -c 30000000 /dev/zero | tr "\\0" x; exit 1' });
  expect(result.report.length).toBeLessThan(10_000);
});

test('colours and control characters do not reach the report or the items', async () => {
  const result = await checking({
    run: 'printf "\\033[31ma.c:1:1: error: \\033[1mred\\007\\033[0m\\n\\033]0;title\\007\\n"; exit 1',
  });
  expect(result.items).toEqual([{ file: 'a.c', line: 1, column: 1, message: 'red' }]);
  expect(result.report).not.toMatch(/[^\P{Cc}\n\t]/u);
});

test('hands the output on while it comes', async () => {
  const lines: string[] = [];
  await checking({ run: 'echo one; echo two' }, { onOutput: (line) => lines.push(line) });
  expect(lines).toEqual(['one', 'two']);
});

test('with changed files, only those are checked, as arguments that no shell reads', async () => {
  const names = ['a b.ts', "it's.ts", '$(touch hacked).ts', '-rf', 'line\nbreak.ts', '*.ts', 'ünï.ts'];
  const result = await checking(
    { run: 'exit 9', changed: 'for f in {files}; do test -f "$f" || exit 1; printf "<%s>" "$f"; done; ls; exit 1' },
    {
      changedFiles: [...names, 'gone.ts', '../outside.ts', 'folder'],
      files: { ...Object.fromEntries(names.map((name) => [name, ''])), 'folder/x': '' },
    },
  );
  expect(result.exitCode).toBe(1);
  for (const name of names) expect(result.report).toContain(`<${name === '-rf' ? './-rf' : name}>`);
  expect(result.report).not.toMatch(/^hacked$/m);
  expect(result.report).not.toContain('gone.ts');
});

test.each(['"{files}"', "'{files}'", '{files}'])(
  'the files arrive one by one where the command says %s',
  async (placeholder) => {
    const result = await checking(
      { changed: `printf "<%s>" ${placeholder}; exit 1` },
      { changedFiles: ['a b', 'c'], files: { 'a b': '', c: '' } },
    );
    expect(result.report).toContain('<a b><c>');
  },
);

test('without a changed file that still exists there is nothing to check', async () => {
  const sandbox = plainSandbox();
  const result = await checking({ changed: 'exit 1 # {files}' }, { changedFiles: ['gone.ts'], sandbox });
  expect(result).toMatchObject({ verdict: 'pass', exitCode: null });
  expect(sandbox.started).toEqual([]);
});

test('a check without a form for changed files checks everything', async () => {
  expect(await checking({ run: 'exit 4' }, { changedFiles: ['gone.ts'] })).toMatchObject({
    verdict: 'fail',
    exitCode: 4,
  });
});

test('too many changed files mean the whole check, and the report says so', async () => {
  const names = Array.from({ length: 1000 }, (_, index) => `${'n'.repeat(120)}${index}`);
  const files = Object.fromEntries(names.map((name) => [name, '']));
  const result = await checking({ run: 'exit 5', changed: 'true {files}' }, { changedFiles: names, files });
  expect(result).toMatchObject({ verdict: 'fail', exitCode: 5 });
  expect(result.report).toContain('1000 files, too many to name');
});

test('a fix has run even if it ends in failure, and has not when its command is missing', async () => {
  await using folder = await tempFolder();
  const fixing = (fix?: string) =>
    runFix({
      check: { name: 'lint', kind: 'lint', run: 'true', fix, timeoutMs: 300 },
      workspaceFolder: folder.path,
      sandbox: plainSandbox(),
      env,
      signal: new AbortController().signal,
    });
  expect(await fixing('touch fixed; exit 1')).toMatchObject({ ran: true });
  expect(await fixing('no-such-fixer')).toMatchObject({
    ran: false,
    problem: expect.stringContaining('command not found: no-such-fixer'),
  });
  expect(await fixing('sleep 30')).toMatchObject({
    ran: false,
    problem: expect.stringContaining('did not end within 0.3 s'),
  });
  expect(await fixing(undefined)).toMatchObject({ ran: false, durationMs: 0 });
});

test('a check with a path runs there, and its items are paths of the repository', async () => {
  const run = 'basename "$PWD"; echo "src/x.ts:1:2: error: wrong"; echo "$PWD/y.ts:3:4: error: wrong too"; exit 1';
  const result = await checking(
    { run, path: 'packages/a' },
    { files: { 'packages/a/src/x.ts': '', 'packages/a/y.ts': '' } },
  );
  expect(result.report).toContain('output:\na\n');
  expect(result.items).toMatchObject([{ file: 'packages/a/src/x.ts' }, { file: 'packages/a/y.ts' }]);
});

test('where only changed files count, a check with a path looks at those below it, and passes where there are none', async () => {
  const files = { 'packages/a/x.ts': '', 'packages/ab/y.ts': '', 'z.ts': '' };
  const check = { run: 'echo whole', changed: 'echo only {files}; exit 1', path: 'packages/a' };
  const some = await checking(check, { files, changedFiles: ['packages/a/x.ts', 'packages/ab/y.ts', 'z.ts'] });
  expect(some.report).toContain('output:\nonly x.ts');
  const none = await checking({ ...check, run: 'exit 1' }, { files, changedFiles: ['packages/ab/y.ts', 'z.ts'] });
  expect(none).toMatchObject({ verdict: 'pass', report: 'test: passed, there are no changed files for it' });
  const plain = { run: 'exit 1', path: 'packages/a' };
  expect(await checking(plain, { files, changedFiles: ['z.ts'] })).toMatchObject({ verdict: 'pass' });
  expect(await checking(plain, { files, changedFiles: ['packages/a/gone.ts'] })).toMatchObject({ verdict: 'fail' });
  expect(await checking(plain, { files })).toMatchObject({ verdict: 'fail' });
});

test('the fix of a check with a path runs there', async () => {
  await using folder = await tempFolder();
  await writeFiles(folder.path, { 'packages/a/x': '' });
  const result = await runFix({
    check: { name: 'lint', kind: 'lint', run: 'true', fix: 'test "$(basename "$PWD")" = a', path: 'packages/a' },
    workspaceFolder: folder.path,
    sandbox: plainSandbox(),
    env,
    signal: new AbortController().signal,
  });
  expect(result).toMatchObject({ ran: true });
  expect(result.problem).toBeUndefined();
});
