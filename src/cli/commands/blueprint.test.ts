import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { SwitchyardError } from '../../lib/error.ts';
import { testContext } from '../fixture/context.ts';
import { FakeServer } from '../fixture/server.ts';
import { execute } from '../main.ts';

const NOT_GIT = new SwitchyardError({ code: 'repository/not-git', message: 'No repository.', hint: '' });

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
