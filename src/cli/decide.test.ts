import { expect, test } from 'vitest';
import { SwitchyardError } from '../lib/error.ts';
import { testContext } from './fixture/context.ts';
import { FakeServer } from './fixture/server.ts';
import { APPROVAL, DONE, end, park } from './fixture/states.ts';
import { execute } from './main.ts';

const NO_DIFF = {
  schema: 1,
  base: 'b',
  head: 'c',
  stat: ' a.js | 2 +-\n',
  patch: 'diff --git a/a.js b/a.js\n-old\n+new\n',
} as const;

test('on a terminal an approval shows what changed, the diff when asked, and goes on when approved', async () => {
  await using context = await testContext({ terminal: true });
  await using server = await new FakeServer(context.socket).listen();
  server.handlers.diffRun = () => NO_DIFF;
  server.handlers.decideRun = () => {
    server.append({ kind: 'run.resumed', choice: 'approved', head: null });
    end(server, DONE);
    return { schema: 1, run: server.run.id, state: server.run.state, working: true };
  };
  park(server, APPROVAL);
  const ending = execute(context, ['run', 'x']);
  await context.shows('a.js | 2 +-');
  await context.shows('[a]pprove  [c]hanges  a[b]andon  [d]iff  [l]ater? ');
  context.type('d');
  await context.shows('+new');
  await context.shows('[l]ater? ');
  context.type('nonsense');
  await context.shows('Answer with a, c, b, d or l, or with its word, and then press Enter.\n');
  await context.shows('[l]ater? ');
  context.type('a');
  expect(await ending).toBe(0);
  expect(decisions(server)).toEqual([{ choice: 'approved', head: 'c'.repeat(40) }]);
});

test('changes are asked for with a note', async () => {
  await using context = await testContext({ terminal: true });
  await using server = await new FakeServer(context.socket).listen();
  server.handlers.diffRun = () => NO_DIFF;
  server.handlers.decideRun = () => {
    server.append({ kind: 'run.resumed', choice: 'changes', head: null });
    end(server, DONE);
    return { schema: 1, run: server.run.id, state: server.run.state, working: true };
  };
  park(server, APPROVAL);
  const ending = execute(context, ['run', 'x']);
  await context.shows('[l]ater? ');
  context.type('c');
  await context.shows('What should be different? ');
  context.type('use cents');
  expect(await ending).toBe(0);
  expect(decisions(server)).toEqual([{ choice: 'changes', note: 'use cents', head: 'c'.repeat(40) }]);
});

test.each(['l', 'end of input', 'Ctrl-C'])('an approval that is put off (%s) leaves the run waiting', async (how) => {
  await using context = await testContext({ terminal: true });
  await using server = await new FakeServer(context.socket).listen();
  server.handlers.diffRun = () => NO_DIFF;
  park(server, APPROVAL);
  const ending = execute(context, ['run', 'x']);
  await context.shows('[l]ater? ');
  // How to answer is told to whoever put it off, and not in front of the question.
  expect(context.out()).not.toContain('switchyard approve');
  if (how === 'Ctrl-C') context.interrupt();
  else if (how === 'l') context.type('l');
  else context.stdin.end();
  expect(await ending).toBe(3);
  expect(context.out()).toContain('switchyard approve round-the-totals-k7mz');
  expect(decisions(server)).toEqual([]);
});

test('a run that has moved on while its question was open is looked at again', async () => {
  await using context = await testContext({ terminal: true });
  await using server = await new FakeServer(context.socket).listen();
  server.handlers.diffRun = () => NO_DIFF;
  server.handlers.decideRun = () => {
    end(server, DONE);
    throw new SwitchyardError({ code: 'decision/head-moved', message: 'The head has moved.', hint: '' });
  };
  park(server, APPROVAL);
  const ending = execute(context, ['run', 'x']);
  await context.shows('[l]ater? ');
  context.type('a');
  expect(await ending).toBe(0);
  expect(context.out()).toContain('The head has moved.');
});

test('a retry that hands a note on asks for one, and needs none', async () => {
  for (const note of ['keep the old name', '']) {
    await using context = await testContext({ terminal: true });
    await using server = await new FakeServer(context.socket).listen();
    server.handlers.diffRun = () => NO_DIFF;
    server.handlers.decideRun = () => {
      end(server, DONE);
      return { schema: 1, run: server.run.id, state: server.run.state, working: true };
    };
    park(server, { ...APPROVAL, needs: { ...APPROVAL.needs, choices: ['retry', 'abandoned'] } });
    const ending = execute(context, ['run', 'x']);
    await context.shows('[l]ater? ');
    context.type('r');
    await context.shows('What should its agent know? (Enter alone: nothing) ');
    context.type(note);
    expect(await ending).toBe(0);
    const told = note === '' ? {} : { note };
    expect(decisions(server)).toEqual([{ choice: 'retry', head: 'c'.repeat(40), ...told }]);
  }
});

test('a question is over as soon as somebody has answered it elsewhere, and the run is followed on', async () => {
  await using context = await testContext({ terminal: true });
  await using server = await new FakeServer(context.socket).listen();
  server.handlers.diffRun = () => NO_DIFF;
  park(server, APPROVAL);
  const ending = execute(context, ['run', 'x']);
  await context.shows('[l]ater? ');
  server.become({ kind: 'running' }, { kind: 'run.resumed', choice: 'approved', head: null });
  await context.shows('\nThe run does not wait for this answer any more.\n');
  await context.shows('approved');
  server.append({ kind: 'message', level: 'info', text: 'and on it goes' });
  await context.shows('and on it goes');
  end(server, DONE);
  expect(await ending).toBe(0);
  expect(decisions(server)).toEqual([]);
});

test('what is said of a run that goes on waiting leaves its question open, and a run that is put away ends it', async () => {
  await using context = await testContext({ terminal: true });
  await using server = await new FakeServer(context.socket).listen();
  server.handlers.diffRun = () => NO_DIFF;
  park(server, APPROVAL);
  const ending = execute(context, ['run', 'x']);
  await context.shows('[l]ater? ');
  server.append({ kind: 'message', level: 'info', text: 'only words' });
  context.type('c');
  await context.shows('What should be different? ');
  expect(context.out()).not.toContain('any more');
  end(server, { kind: 'discarded' });
  await context.shows('The run does not wait for this answer any more.');
  expect(await ending).toBe(4);
  expect(decisions(server)).toEqual([]);
});

function decisions(server: FakeServer): unknown[] {
  return server.calls
    .filter(({ name }) => name === 'decideRun')
    .map(({ request }) => {
      const { actor: _, ...rest } = request as { actor: string };
      return rest;
    });
}
