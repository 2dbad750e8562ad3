import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitUntil } from '../../src/lib/wait-until.ts';
import { tempRepository } from '../../src/testing/temp-repository.ts';
import { Installation } from '../support/installation.ts';

/** Agents that do what they should not: the run keeps the work, or parks and says why. */

const AGENTS: Readonly<Record<string, string>> = {
  nothing: 'true',
  liar: 'echo "All done, all tests pass."',
  hanging: 'echo begun; echo half > half.txt; sleep 1000',
  flood: 'echo kept > kept.txt; yes "a line of a flood" | head -c 30000000',
  half: 'echo kept > kept.txt; printf "no end of line"',
  strays:
    'echo kept > kept.txt; (setsid sh -c "env -i SWITCHYARD_STRAY=1 setsid sleep 987 & sleep 1" >/dev/null 2>&1 &) ; sleep 0.2',
  elsewhere: 'git checkout -q -b other && echo kept > kept.txt && git add -A && git commit -qm "Elsewhere"',
  committing: 'echo kept > kept.txt && git add -A && git commit -qm "Its own words" && echo more > more.txt',
  gitless: 'rm -rf .git; echo kept > kept.txt',
  names: `printf x > 'with space' ; printf x > 'quo"te' ; printf x > "it's" ; printf x > "$(printf 'new\\nline')" ; printf x > 'ünïcödé-文字' ; printf x > ./-rf`,
  failing: 'echo kept > kept.txt; echo "error: out of credit" >&2; exit 3',
};

let installation: Installation;

beforeAll(async () => {
  const config = Object.entries(AGENTS).map(
    ([name, script]) => `  ${name}: { kind: custom, command: [sh, -c, ${JSON.stringify(script)}] }`,
  );
  installation = await Installation.create({ config: `agents:\n${config.join('\n')}\n` });
});
afterAll(async () => {
  await installation[Symbol.asyncDispose]();
});

async function runWith(agent: string, ...more: string[]) {
  const repository = await tempRepository({
    'README.md': 'x\n',
    '.switchyard/config.yaml': 'checks: {}\nsetup: none\n',
  });
  const result = await installation.cli(['run', `Try ${agent}`, '--agent', agent, '--json', ...more], {
    cwd: repository.path,
  });
  const [first] = result.stdout.split('\n');
  const { run } = JSON.parse(first ?? '{}') as { run: string };
  const detail = await installation.show(run);
  return {
    repository,
    result,
    detail,
    files: (await repository.git('ls-tree', '-r', '-z', '--name-only', detail.branch ?? 'HEAD'))
      .split('\0')
      .filter((name) => name !== ''),
  };
}

test('an agent that changes nothing parks the run', async () => {
  const { repository, result, detail } = await runWith('nothing');
  await using _ = repository;
  expect(result.code).toBe(3);
  expect(detail.state).toMatchObject({
    kind: 'parked',
    needs: { choices: expect.arrayContaining(['retry', 'abandoned']) },
  });
  expect(detail.steps.map((step) => step.outcome)).toEqual(['unchanged']);
});

test('an agent that only says that it is done parks the run', async () => {
  const { repository, result } = await runWith('liar');
  await using _ = repository;
  expect(result.code).toBe(3);
});

test('an agent that hangs is stopped at the limit of silence, and what it did is kept', async () => {
  const { repository, result, detail } = await runWith('hanging', '--limit', 'silence=1s');
  await using _ = repository;
  expect(result.code).toBe(3);
  expect(detail.state).toMatchObject({ kind: 'parked', reason: { code: 'limit/silence' }, needs: { kind: 'limit' } });
  const diff = await installation.client.call('diffRun', {}, { run: detail.id });
  expect(diff.patch).toContain('half.txt');
});

test('an agent that hangs past the wall time parks at that limit, which a retry grants again', async () => {
  const { repository, result, detail } = await runWith('hanging', '--limit', 'wall=2s');
  await using _ = repository;
  expect(result.code).toBe(3);
  expect(detail.state).toMatchObject({ kind: 'parked', reason: { code: 'limit/wall' }, needs: { kind: 'limit' } });
  await installation.client.call('decideRun', { choice: 'retry', actor: 'test' }, { run: detail.id });
  const again = await installation.settled(detail.id);
  expect(again.state).toMatchObject({ kind: 'parked', reason: { code: 'limit/wall' } });
  expect(again.limits['wall']?.max).toBe(2 * (detail.limits['wall']?.max ?? 0));
});

test.each(['flood', 'half', 'elsewhere', 'gitless'])(
  'the work of an agent of the kind "%s" is delivered all the same',
  async (agent) => {
    const { repository, result, detail, files } = await runWith(agent);
    await using _ = repository;
    expect(result.code).toBe(0);
    expect(detail.state.kind).toBe('succeeded');
    expect(files).toContain('kept.txt');
  },
);

test('commits elsewhere are left out and reported', async () => {
  const { repository, result } = await runWith('elsewhere');
  await using _ = repository;
  expect(result.stdout).toMatch(/"kind":"message".*other/);
});

test('commits of the agent are kept with their messages, and the rest is one commit more', async () => {
  const { repository, detail } = await runWith('committing');
  await using _ = repository;
  const log = await repository.git(
    'log',
    '--format=%an|%cn|%s|%(trailers:key=Switchyard-Run,valueonly)',
    `main..${detail.branch ?? ''}`,
  );
  const [rest, own] = log.split('\n').filter((line) => line !== '');
  expect(own).toMatch(/\|Switchyard\|Its own words\|/);
  expect(rest).toMatch(/\|Switchyard\|Try committing\|/);
  expect(log.match(new RegExp(detail.id, 'g'))).toHaveLength(2);
});

test('children that an agent leaves in sessions of their own are gone afterwards', async () => {
  const { repository, result } = await runWith('strays');
  await using _ = repository;
  expect(result.code).toBe(0);
  await waitUntil(() => strays().length === 0, { timeoutMs: 5_000, what: 'the strays to be gone' });
});

test('files with awkward names are delivered as they are', async () => {
  const { repository, files } = await runWith('names');
  await using _ = repository;
  for (const name of ['with space', 'quo"te', "it's", 'new\nline', 'ünïcödé-文字', '-rf'])
    expect(files).toContain(name);
});

test('an agent that fails parks the run with its words, and keeps what it did', async () => {
  const { repository, result, detail } = await runWith('failing');
  await using _ = repository;
  expect(result.code).toBe(3);
  expect(detail.state).toMatchObject({ kind: 'parked', needs: { kind: 'error' } });
  const diff = await installation.client.call('diffRun', {}, { run: detail.id });
  expect(diff.patch).toContain('kept.txt');
});

function strays(): string[] {
  return readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && commandOf(pid) === 'sleep\x00987\x00');
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return ''; // ended meanwhile
  }
}
