import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { RunState } from '../../domain/run.ts';
import { SwitchyardError } from '../../lib/error.ts';
import { isAlive } from '../../lib/processes.ts';
import { waitUntil } from '../../lib/wait-until.ts';
import { testContext } from '../fixture/context.ts';
import { FakeServer, someHealth, someRun } from '../fixture/server.ts';
import { execute } from '../main.ts';

const DONE: RunState = { kind: 'succeeded', end: 'done' };
const MERGED = { commit: 'd'.repeat(40), tree: 'e'.repeat(40) };
const NOT_GIT = new SwitchyardError({ code: 'repository/not-git', message: 'No repository.', hint: '' });

test('ls lists the runs of the repository that one stands in', async () => {
  await using context = await testContext();
  await using server = await new FakeServer(context.socket).listen();
  server.handlers.listRuns = () => [server.run];
  expect(await execute(context, ['ls'])).toBe(0);
  expect(context.out()).toContain('round-the-totals-k7mz');
  expect(server.calls[0]?.request).toEqual({ repository: context.home });
});

test('ls outside of a repository lists those of all', async () => {
  await using context = await testContext();
  await using server = await new FakeServer(context.socket).listen();
  server.handlers.listRuns = ({ repository }) => {
    if (repository !== undefined) throw NOT_GIT;
    return [server.run];
  };
  expect(await execute(context, ['ls', '--json'])).toBe(0);
  expect(JSON.parse(context.out())).toMatchObject([{ id: 'k7mzq2xw9fhd' }]);
});

test('ls leaves out what was put away, says so, and has it with --all; programs get all of it', async () => {
  await using context = await testContext();
  await using server = await new FakeServer(context.socket).listen();
  server.handlers.listRuns = () => [server.run, someRun({ slug: 'away', state: { kind: 'discarded' } })];
  expect(await execute(context, ['ls'])).toBe(0);
  expect(context.out()).toContain('1 discarded run left out; --all lists them.');
  expect(context.out()).not.toContain('away');
  expect(await execute(context, ['ls', '--all'])).toBe(0);
  expect(context.out()).toContain('away');
  expect(await execute(context, ['ls', '--json'])).toBe(0);
  expect(JSON.parse(context.out().trimEnd().split('\n').at(-1) ?? '')).toHaveLength(2);
});

test('ls --repository lists the runs of another repository', async () => {
  await using context = await testContext();
  await using server = await new FakeServer(context.socket).listen();
  server.handlers.listRuns = () => [];
  expect(await execute(context, ['ls', '--repository', 'shop'])).toBe(0);
  expect(server.calls.at(-1)?.request).toEqual({ repository: join(context.home, 'shop') });
});

test('ls says so when there is nothing', async () => {
  await using context = await testContext();
  await using server = await new FakeServer(context.socket).listen();
  server.handlers.listRuns = () => [];
  expect(await execute(context, ['ls', '--all'])).toBe(0);
  expect(context.out()).toContain('There are no runs yet.');
});

test('show --json is what the server says', async () => {
  await using context = await testContext();
  await using server = await new FakeServer(context.socket).listen();
  expect(await execute(context, ['show', '@last', '--json'])).toBe(0);
  expect(JSON.parse(context.out())).toEqual(server.run);
  expect(server.calls[0]?.path).toEqual({ run: '@last' });
});

test('a run that is not there ends with 5', async () => {
  await using context = await testContext();
  await using server = await new FakeServer(context.socket).listen();
  server.handlers.showRun = () => {
    throw new SwitchyardError({
      code: 'run/not-found',
      message: 'There is no run "x".',
      hint: 'See `switchyard ls --all`.',
    });
  };
  expect(await execute(context, ['show', 'x'])).toBe(5);
  expect(context.err()).toBe('error: There is no run "x".\n  See `switchyard ls --all`.\n');
});

test('diff writes the patch byte for byte into a pipe, and what is safe to look at on a terminal', async () => {
  const patch = 'diff --git a/a b/a\n+\u001b[31m\r\n';
  for (const [terminal, expected] of [
    [false, patch],
    [true, 'diff --git a/a b/a\n+\n'],
  ] as const) {
    await using context = await testContext({ terminal });
    await using server = await new FakeServer(context.socket).listen();
    server.handlers.diffRun = () => ({ schema: 1, base: 'b', head: 'c', stat: ' a | 1 +\n', patch });
    expect(await execute(context, ['diff', 'x'])).toBe(0);
    expect(context.out()).toBe(expected);
  }
});

test('diff --stat shows the files', async () => {
  await using context = await testContext();
  await using server = await new FakeServer(context.socket).listen();
  server.handlers.diffRun = () => ({ schema: 1, base: 'b', head: 'c', stat: ' a | 1 +\n', patch: 'x' });
  expect(await execute(context, ['diff', 'x', '--stat'])).toBe(0);
  expect(context.out()).toBe(' a | 1 +\n');
});

test('approve passes on what was said and prints the state that follows', async () => {
  await using context = await testContext();
  await using server = await new FakeServer(context.socket).listen();
  server.handlers.decideRun = () => ({
    schema: 1,
    run: 'k7mzq2xw9fhd',
    state: { kind: 'running' },
    working: true,
    note: 'It goes on.',
  });
  expect(await execute(context, ['approve', 'x', '--choice', 'changes', '--note', 'use cents', '--head', 'abc'])).toBe(
    0,
  );
  expect(server.calls[0]?.request).toMatchObject({ choice: 'changes', note: 'use cents', head: 'abc' });
  expect(context.out()).toBe('▸ running\nIt goes on.\n    switchyard logs -f x  follow it\n');
});

test('approve that was the last answer wanted says what can be done with the result', async () => {
  await using context = await testContext();
  await using server = await new FakeServer(context.socket).listen();
  server.run = someRun({ state: DONE, branch: 'switchyard/round-the-totals-k7mz' });
  server.handlers.decideRun = () => ({ schema: 1, run: server.run.id, state: DONE, working: false });
  expect(await execute(context, ['approve', 'x'])).toBe(0);
  expect(context.out()).toContain('✓ succeeded\n');
  expect(context.out()).toContain('switchyard merge round-the-totals-k7mz');
});

test('approve where that is not offered ends with 2, where the head has moved with 1', async () => {
  for (const [code, exit] of [
    ['decision/choice', 2],
    ['decision/head-moved', 1],
  ] as const) {
    await using context = await testContext();
    await using server = await new FakeServer(context.socket).listen();
    server.handlers.decideRun = () => {
      throw new SwitchyardError({ code, message: 'No.', hint: '' });
    };
    expect(await execute(context, ['approve', 'x'])).toBe(exit);
  }
});

test('merge waits for what becomes of it, and shows only what is new', async () => {
  await using context = await testContext();
  await using server = await new FakeServer(context.socket).listen();
  server.append({ kind: 'message', level: 'info', text: 'old news' });
  server.run = someRun({ state: DONE });
  server.handlers.mergeRun = () => {
    server.become({ kind: 'running' });
    return { schema: 1, run: server.run.id, state: server.run.state, working: true };
  };
  const ending = execute(context, ['merge', 'x', '--to', 'release', '--push']);
  await waitUntil(() => server.run.state.kind === 'running', { timeoutMs: 5000 });
  server.append({ kind: 'run.merged', target: 'release', ...MERGED });
  server.run = { ...server.run, merged: MERGED };
  server.become(DONE, { kind: 'run.ended', state: DONE });
  expect(await ending).toBe(0);
  expect(server.calls.find(({ name }) => name === 'mergeRun')?.request).toMatchObject({ to: 'release', push: true });
  expect(context.out()).toContain('✓ merged into release: dddddddddd');
  expect(context.out()).not.toContain('old news');
});

test('merge of what is merged already says so and ends well', async () => {
  await using context = await testContext();
  await using server = await new FakeServer(context.socket).listen();
  server.handlers.mergeRun = () => ({
    schema: 1,
    run: server.run.id,
    state: DONE,
    working: false,
    note: 'It is merged already.',
  });
  expect(await execute(context, ['merge', 'x'])).toBe(0);
  expect(context.out()).toContain('It is merged already.');
});

test('a merge that has to wait for a person ends with 3', async () => {
  await using context = await testContext();
  await using server = await new FakeServer(context.socket).listen();
  const reason = { code: 'merge/checkout-dirty', message: 'The checkout has changes.' };
  const needs = { kind: 'checkout', choices: ['retry', 'abandoned'], head: null, files: ['a.js'] } as const;
  server.handlers.mergeRun = () => {
    server.become(
      { kind: 'parked', reason, needs: { ...needs, choices: [...needs.choices], files: [...needs.files] } },
      {
        kind: 'run.parked',
        reason,
        needs: { ...needs, choices: [...needs.choices], files: [...needs.files] },
        node: null,
      },
    );
    return { schema: 1, run: server.run.id, state: { kind: 'running' }, working: true };
  };
  expect(await execute(context, ['merge', 'x'])).toBe(3);
  expect(context.out()).toContain('    a.js');
});

test('discard asks on a terminal, and leaves everything as it is unless the answer is yes', async () => {
  await using context = await testContext({ terminal: true });
  await using server = await new FakeServer(context.socket).listen();
  server.run = someRun({ state: DONE });
  server.handlers.discardRun = () => ({ schema: 1, run: server.run.id, state: { kind: 'discarded' }, working: false });
  const first = execute(context, ['discard', 'x']);
  await context.shows('Discard it? [y/N] ');
  context.type('');
  expect(await first).toBe(0);
  expect(server.calls.map(({ name }) => name)).toEqual(['showRun']);
  const second = execute(context, ['discard', 'x']);
  await context.shows('Discard it? [y/N] ');
  context.type('y');
  expect(await second).toBe(0);
  expect(server.calls.at(-1)).toMatchObject({ name: 'discardRun', path: { run: 'k7mzq2xw9fhd' } });
});

test('discard --yes does not ask, --dry-run does nothing', async () => {
  await using context = await testContext({ terminal: true });
  await using server = await new FakeServer(context.socket).listen();
  server.run = someRun({ state: DONE });
  server.handlers.discardRun = () => ({ schema: 1, run: server.run.id, state: { kind: 'discarded' }, working: false });
  expect(await execute(context, ['discard', 'x', '--dry-run'])).toBe(0);
  expect(context.out()).toContain('Nothing was done');
  expect(server.calls.map(({ name }) => name)).toEqual(['showRun']);
  expect(await execute(context, ['discard', 'x', '--yes'])).toBe(0);
  expect(server.calls.at(-1)?.name).toBe('discardRun');
});

test('discard says of a run at work, and of one in the trash, what is so, before it asks', async () => {
  await using context = await testContext();
  await using server = await new FakeServer(context.socket).listen();
  expect(await execute(context, ['discard', 'x', '--dry-run'])).toBe(1);
  expect(context.err()).toContain('switchyard cancel round-the-totals-k7mz');
  server.run = someRun({ state: { kind: 'discarded' } });
  expect(await execute(context, ['discard', 'x', '--dry-run'])).toBe(0);
  expect(context.out()).toContain('It is in the trash already.');
  expect(context.out()).not.toContain('goes to the trash');
});

test('cancel, restore and why answer with what the server says', async () => {
  await using context = await testContext();
  await using server = await new FakeServer(context.socket).listen();
  server.handlers.cancelRun = () => ({ schema: 1, run: 'x', state: { kind: 'cancelled' }, working: false });
  server.handlers.restoreRun = () => ({ schema: 1, run: 'x', state: DONE, working: false });
  server.handlers.whyRun = () => ({
    schema: 1,
    run: 'x',
    state: { kind: 'queued' },
    lines: ['It is running.', '3 of 4 places are taken.'],
  });
  for (const command of ['cancel', 'restore', 'why']) expect(await execute(context, [command, 'x'])).toBe(0);
  expect(context.out()).toContain(
    '■ cancelled\n✓ succeeded\nRound the totals\n▸ running\n  3 of 4 places are taken.\n\nswitchyard',
  );
});

test('logs shows a journal, follows it until the run waits, or gives it as JSON', async () => {
  await using context = await testContext();
  await using server = await new FakeServer(context.socket).listen();
  server.append({ kind: 'agent.text', node: 'a', n: 1, text: 'first\nsecond' });
  expect(await execute(context, ['logs', 'x'])).toBe(0);
  expect(context.out()).toMatch(/first\n.*second\n$/);
  const following = execute(context, ['logs', '-f', 'x', '--json']);
  await context.shows('"seq":1');
  server.become(DONE, { kind: 'run.ended', state: DONE });
  expect(await following).toBe(0);
  expect(context.out()).toContain('"kind":"run.ended"');
});

test('logs of a run that is over ends in what became of it; quiet it is nothing else', async () => {
  await using context = await testContext();
  await using server = await new FakeServer(context.socket).listen();
  server.append({ kind: 'agent.text', node: 'a', n: 1, text: 'said' });
  server.append({ kind: 'step.ended', node: 'a', n: 1, outcome: 'done', checkpoint: null });
  server.become(DONE, { kind: 'run.ended', state: DONE });
  expect(await execute(context, ['logs', 'x', '--quiet'])).toBe(0);
  expect(context.out()).toMatch(/^✓ succeeded/);
  expect(await execute(context, ['logs', 'x'])).toBe(0);
  expect(context.out()).toMatch(/said\n[\s\S]*\n✓ succeeded/);
});

test('logs -f on a terminal shows what run shows, with everything if asked; Ctrl-C leaves at once', async () => {
  for (const more of [[], ['-v']]) {
    await using context = await testContext({ terminal: true });
    await using server = await new FakeServer(context.socket).listen();
    server.append({ kind: 'step.started', node: 'a', n: 1, nodeKind: 'agent' });
    const tool = { kind: 'agent.tool', node: 'a', n: 1, call: '1', name: 'shell' } as const;
    server.append({ ...tool, phase: 'ended', output: 'the whole output', ok: true });
    const following = execute(context, ['logs', '-f', 'x', ...more]);
    await context.shows('Ctrl-C: leave');
    context.interrupt();
    expect(await following).toBe(130);
    expect(context.out().includes('the whole output')).toBe(more.length > 0);
    expect(context.out()).not.toContain('[d]etach');
  }
});

test('logs of a step that is not there names those that are, and ends with 5', async () => {
  const step = { n: 1, kind: 'agent', state: 'ended', outcome: 'done', attempts: 1, startedAt: null, endedAt: null };
  for (const follow of [[], ['-f']]) {
    await using context = await testContext();
    await using server = await new FakeServer(context.socket).listen();
    server.run = someRun({ steps: [{ ...step, node: 'implement', checkpoint: null }] });
    server.append({ kind: 'agent.text', node: 'implement', n: 1, text: 'hello' });
    server.become(DONE, { kind: 'run.ended', state: DONE });
    expect(await execute(context, ['logs', 'x', '--step', 'nope#1', ...follow])).toBe(5);
    expect(context.err()).toContain('has no step "nope#1"');
    expect(context.err()).toContain('It has: implement#1.');
    expect(context.out()).toBe('');
  }
});

test('logs -f of one step leaves the others out, and still ends when the run does', async () => {
  await using context = await testContext();
  await using server = await new FakeServer(context.socket).listen();
  for (const [node, n] of [
    ['a', 1],
    ['b', 1],
    ['b', 2],
  ] as const)
    server.append({ kind: 'agent.text', node, n, text: `${node}${n}` });
  server.become(DONE, { kind: 'run.ended', state: DONE });
  expect(await execute(context, ['logs', '-f', 'x', '--step', 'b#2'])).toBe(0);
  expect(context.out()).toMatch(/^\S+ +b2\n$/);
});

test('init shows what it wrote', async () => {
  await using context = await testContext();
  await using server = await new FakeServer(context.socket).listen();
  server.handlers.initRepository = ({ dryRun }) => ({
    schema: 1,
    file: '.switchyard/config.yaml',
    text: 'checks: {}\n',
    written: !dryRun,
    notes: ['no checks were found'],
  });
  expect(await execute(context, ['init', '--dry-run'])).toBe(0);
  expect(context.out()).toBe('would write .switchyard/config.yaml\n\n    checks: {}\n\ni no checks were found\n');
});

test('blueprint check ends with 1 when there are problems, each at its line', async () => {
  await using context = await testContext();
  await using server = await new FakeServer(context.socket).listen();
  await writeFile(join(context.home, 'mine.yaml'), '');
  const problem = {
    file: 'mine.yaml',
    line: 3,
    column: 5,
    message: 'there is no node "lnt"',
    hint: 'did you mean "lint"?',
  };
  server.handlers.checkBlueprint = () => ({ schema: 1, ok: false, problems: [problem], notes: [] });
  expect(await execute(context, ['blueprint', 'check', 'mine.yaml'])).toBe(1);
  expect(server.calls[0]?.request).toEqual({ file: join(context.home, 'mine.yaml'), repository: context.home });
  expect(context.out()).toBe('mine.yaml:3:5: there is no node "lnt"\n  did you mean "lint"?\n1 problem.\n');
});

test('blueprint ls and show work outside of a repository', async () => {
  await using context = await testContext();
  await using server = await new FakeServer(context.socket).listen();
  const within = <T>(repository: string | undefined, answer: T): T => {
    if (repository !== undefined) throw NOT_GIT;
    return answer;
  };
  server.handlers.listBlueprints = ({ repository }) =>
    within(repository, [{ name: 'minion', summary: 'One shot.', source: 'shipped' as const }]);
  server.handlers.showBlueprint = ({ repository }) =>
    within(repository, {
      schema: 1 as const,
      name: 'minion',
      file: 'minion.yaml',
      text: 'name: minion\n',
      drawing: 'a -> b\n',
    });
  expect(await execute(context, ['blueprint', 'ls'])).toBe(0);
  expect(await execute(context, ['blueprint', 'show', 'minion'])).toBe(0);
  expect(context.out()).toBe(
    'NAME    FROM     SUMMARY\nminion  shipped  One shot.\nminion  minion.yaml\n\na -> b\n\nname: minion\n',
  );
});

test('server status shows the daemon, or ends with 69 when none runs', async () => {
  await using context = await testContext();
  expect(await execute(context, ['server', 'status'])).toBe(69);
  await using _ = await new FakeServer(context.socket, {
    health: () => someHealth({ runs: { queued: 1, running: 2, parked: 3 } }),
  }).listen();
  expect(await execute(context, ['server', 'status'])).toBe(0);
  expect(context.out()).toContain('2 running, 1 queued, 3 waiting for a person');
});

test('server up --test-mode refuses a daemon that runs without it', async () => {
  await using context = await testContext();
  await using _ = await new FakeServer(context.socket).listen();
  expect(await execute(context, ['server', 'up'])).toBe(0);
  expect(await execute(context, ['server', 'up', '--test-mode'])).toBe(1);
  expect(context.err()).toContain('without test mode');
});

test('server down waits until the daemon is gone, and is content when there is none', async () => {
  await using context = await testContext({
    self: [process.execPath, join(import.meta.dirname, '..', 'fixture', 'daemon.ts')],
  });
  expect(await execute(context, ['server', 'down'])).toBe(0);
  expect(await execute(context, ['server', 'up', '--json'])).toBe(0);
  const { pid } = JSON.parse(context.out().split('\n')[1] ?? '') as { pid: number };
  expect(await execute(context, ['server', 'down'])).toBe(0);
  expect(isAlive({ pid })).toBe(false);
});
