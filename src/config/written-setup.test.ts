import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { tempFolder, writeFiles } from '../testing/temp-repository.ts';
import { setupCommand, writtenSetup } from './written-setup.ts';

test('a line stays as it is', () => {
  expect(setupCommand('npm ci')).toBe('npm ci');
  expect(setupCommand(undefined)).toBeUndefined();
});

test('steps run one after the other, each in its folder', async () => {
  await using temp = await tempFolder();
  await writeFiles(temp.path, { "it's a/x": '', 'b/x': '' });
  const said = await run(temp.path, [
    'cd b && X=1 # a comment',
    { path: "it's a", run: 'basename "$PWD"; false; true' },
    { run: 'echo "[$X]"; basename "$PWD" >name' },
  ]);
  expect(said.stdout.split('\n')).toEqual([
    '+ cd b && X=1 # a comment',
    '+ it\'s a: basename "$PWD"; false; true',
    "it's a",
    '+ echo "[$X]"; basename "$PWD" >name',
    '[]',
    '',
  ]);
  expect(said.code).toBe(0);
});

test('the first step that fails ends it, with its code', async () => {
  await using temp = await tempFolder();
  expect(await run(temp.path, { b: 'true' })).toMatchObject({ code: 2 });
  expect(await run(temp.path, ['exit 7', 'echo on'])).toEqual({ code: 7, stdout: '+ exit 7\n' });
});

test('a setup with secrets is what is to be run and their names; one without has none', () => {
  expect(writtenSetup({ run: 'npm ci', secrets: ['NPM_TOKEN'] })).toEqual({ run: 'npm ci', secrets: ['NPM_TOKEN'] });
  expect(writtenSetup({ run: ['a', 'b'], secrets: ['A'] })).toEqual({ run: ['a', 'b'], secrets: ['A'] });
  expect(writtenSetup('npm ci')).toEqual({ run: 'npm ci', secrets: [] });
  expect(writtenSetup(undefined)).toEqual({ run: undefined, secrets: [] });
});

test('a folder may be called as the words of a setup with secrets are', () => {
  const folders = { run: 'make', secrets: 'make' };
  expect(writtenSetup(folders)).toEqual({ run: folders, secrets: [] });
});

async function run(cwd: string, setup: Parameters<typeof setupCommand>[0]): Promise<{ code: number; stdout: string }> {
  const argv = ['-c', setupCommand(setup) ?? ''];
  return promisify(execFile)('/bin/sh', argv, { cwd }).then(
    ({ stdout }) => ({ code: 0, stdout }),
    (error: { code: number; stdout: string }) => ({ code: error.code, stdout: error.stdout }),
  );
}
