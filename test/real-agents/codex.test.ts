import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { startModelServer, toolsUsed } from '../../src/testing/model-server.ts';
import { tempRepository } from '../../src/testing/temp-repository.ts';
import { Installation } from '../support/installation.ts';

const codex = fileURLToPath(new URL('../../node_modules/.bin/codex', import.meta.url));

/** Prints why it is not satisfied; the model of this test answers to these words and to nothing else. */
const CHECK = `sh -c 'found=$(cat answer.txt); if [ "$found" = 42 ]; then exit 0; fi; echo "answer.txt:1: expected 42 but found $found"; exit 1'`;

test('real codex fails the check, resumes its session with the real output, passes, is approved and merged', {
  timeout: 120_000,
}, async () => {
  await using model = await startModelServer((request) => {
    const asked = request.messages.findLast((message) => message.role === 'user')?.text ?? '';
    if (toolsUsed(request) > 0) return { text: 'I have written the file.' };
    const found = /expected (\d+) but found/.exec(asked)?.[1];
    const text = found ?? '41';
    return { tool: 'exec_command', input: { cmd: `printf '%s' ${text} > answer.txt` } };
  });
  await using repository = await tempRepository({
    'README.md': 'x\n',
    '.switchyard/config.yaml': `checks:\n  answer: { run: ${JSON.stringify(CHECK)}, kind: test }\nsetup: none\n`,
  });
  await using installation = await Installation.create({
    config: `agents:\n  codex:\n    kind: codex\n    command: [${codex}]\n    model: scripted\n    endpoint: { api: responses, baseUrl: "${model.baseUrl}", key: { env: MODEL_KEY } }\n`,
    env: { MODEL_KEY: 'a-key-for-the-test' },
  });
  const started = await installation.cli(['run', 'Write the answer to answer.txt', '--blueprint', 'minion', '--json'], {
    cwd: repository.path,
  });
  expect(started.stderr).toBe('');
  expect(started.code).toBe(3);
  const { run } = JSON.parse(started.stdout.split('\n')[0] ?? '{}') as { run: string };
  const parked = await installation.show(run);
  expect(parked.steps.map((step) => `${step.node}:${step.outcome ?? '-'}`)).toEqual([
    'implement:done',
    'lint:missing',
    'ci:fail',
    'fix-ci:done',
    'ci:pass',
    'open-pr:delivered',
    'review:-',
  ]);

  const journal = model.requests();
  const resumed = journal.find((request) =>
    request.messages.some((message) => message.text.includes('expected 42 but found 41')),
  );
  expect(resumed, 'the request of the fix step').toBeDefined();
  const texts = resumed?.messages.map((message) => message.text).join('\n') ?? '';
  expect(texts).toContain('Write the answer to answer.txt');
  expect(texts).toContain('I have written the file.');
  if (process.env['SHOW_JOURNAL'] !== undefined) show(journal);

  expect((await installation.cli(['approve', run, '--head', parked.head])).code).toBe(0);
  expect((await installation.settled(run)).state.kind).toBe('succeeded');
  expect((await installation.cli(['merge', run])).code).toBe(0);
  expect(await repository.git('show', 'main:answer.txt')).toBe('42');
  expect((await installation.show(run)).usage.input).toBeGreaterThan(0);
});

function show(journal: ReturnType<Awaited<ReturnType<typeof startModelServer>>['requests']>): void {
  for (const [index, request] of journal.entries()) {
    const lines = request.messages.map(
      (message) => `    ${message.role.padEnd(10)} ${message.text.replace(/\s+/g, ' ').slice(0, 160)}`,
    );
    process.stdout.write(
      `request ${index + 1} (${request.model}), ${request.messages.length} messages\n${lines.join('\n')}\n`,
    );
  }
}
