import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { waitUntil } from '../../src/lib/wait-until.ts';
import { tempFolder, tempRepository } from '../../src/testing/temp-repository.ts';
import { leftForGood } from '../crash/leftovers.ts';
import { Installation } from '../support/installation.ts';

/** Thirty runs of three repositories, all with their agents at work at the same time, and all merged. */

const AGENTS = 30;
const MORE = 3;
const CONFIG = 'checks:\n  made: { run: "ls made | grep -q .", kind: test }\nsetup: none\n';

const script = (folder: string) => `
steps:
  implement:
    - [ { run: "mkdir -p made && echo $SWITCHYARD_RUN > made/$SWITCHYARD_RUN; touch ${folder}/$SWITCHYARD_RUN" },
        { run: "until [ -f ${folder}/go ]; do sleep 0.2; done" },
        { say: "Made." } ]
`;

test('thirty agents work at once, those beyond the limit say whom they wait for, and every run is merged', {
  timeout: 300_000,
}, async () => {
  await using marks = await tempFolder();
  await using one = await tempRepository({ 'README.md': 'one\n', '.switchyard/config.yaml': CONFIG });
  await using two = await tempRepository({ 'README.md': 'two\n', '.switchyard/config.yaml': CONFIG });
  await using three = await tempRepository({ 'README.md': 'three\n', '.switchyard/config.yaml': CONFIG });
  const repositories = [one, two, three];
  await using installation = await Installation.create({
    config: `agents:\n  recorded: { kind: scripted, script: recording.yaml }\nlimits: { agents: ${AGENTS}, perRepository: ${AGENTS} }\n`,
    files: { 'recording.yaml': script(marks.path) },
  });
  await installation.startDaemon();
  const { client } = installation;
  const start = async (n: number) => {
    const repository = repositories[n % repositories.length]?.path ?? '';
    const request = { task: 'Make it', repository, blueprint: 'quick', requester: `person-${n % 5}` };
    return (await client.call('startRun', request)).run;
  };
  const runs = await Promise.all(Array.from({ length: AGENTS }, (_, n) => start(n)));
  await waitUntil(async () => (await readdir(marks.path)).length === AGENTS, {
    timeoutMs: 120_000,
    what: 'thirty agents to be at work',
  });
  const late: string[] = [];
  for (let n = 0; n < MORE; n++) late.push(await start(n));
  const why = await client.call('whyRun', {}, { run: late.at(-1) ?? '' });
  expect(why.waits).toMatchObject({ kind: 'limits.agents', max: AGENTS, ahead: MORE - 1 });
  expect(new Set(why.waits?.by.map(({ run }) => run))).toEqual(new Set(runs));
  expect(why.lines.join('\n')).toContain('30 of 30 places for agents are taken');

  await writeFile(join(marks.path, 'go'), '');
  for (const run of [...runs, ...late]) {
    const ended = await installation.settled(run);
    expect([ended.state.kind, ended.merged === undefined], JSON.stringify(ended.state)).toEqual(['succeeded', false]);
    expect(ended.steps.map((step) => `${step.node}:${step.outcome}:${step.attempts}`)).toEqual([
      'implement:done:1',
      'check:pass:1',
      'merge:merged:1',
    ]);
  }
  for (const repository of repositories) {
    const made = await repository.git('ls-tree', '--name-only', 'main', 'made/');
    expect(made.split('\n')).toHaveLength((AGENTS + MORE) / repositories.length);
    expect(await repository.git('status', '--porcelain')).toBe('');
    expect(await leftForGood(installation, repository)).toEqual([]);
  }
  expect((await installation.log()).split('\n').filter((line) => /"level":(4|5|6)0/.test(line))).toEqual([]);
});
