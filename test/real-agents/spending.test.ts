import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { waitUntil } from '../../src/lib/wait-until.ts';
import { type ModelReply, startModelServer, toolsUsed } from '../../src/testing/model-server.ts';
import { type TempRepository, tempRepository } from '../../src/testing/temp-repository.ts';
import { beforeModel } from '../support/before-model.ts';
import { Installation } from '../support/installation.ts';

/** Budgets and quotas with a real agent: stopped in the middle, kept across restarts, gone on with by a person or by itself. */

const codex = fileURLToPath(new URL('../../node_modules/.bin/codex', import.meta.url));

const writesTheAnswer = (request: Parameters<typeof toolsUsed>[0]): ModelReply =>
  toolsUsed(request) > 0
    ? { text: 'It is written.' }
    : { tool: 'exec_command', input: { cmd: 'echo 42 > answer.txt' } };

const repositoryWithCheck = (): Promise<TempRepository> =>
  tempRepository({
    'README.md': 'x\n',
    '.switchyard/config.yaml': 'checks:\n  answer: { run: "test -f answer.txt", kind: test }\nsetup: none\n',
  });

const installationWith = (baseUrl: string, more: object = {}): Promise<Installation> =>
  Installation.create({
    config: stringify({
      agents: {
        codex: {
          kind: 'codex',
          command: [codex],
          model: 'scripted',
          endpoint: { api: 'responses', baseUrl, key: { env: 'MODEL_KEY' } },
        },
      },
      prices: { scripted: { input: 1, output: 10 } },
      ...more,
    }),
    sandbox: undefined,
    env: { MODEL_KEY: 'a-key-for-the-test' },
  });

async function startedIn(installation: Installation, repository: TempRepository): Promise<string> {
  const started = await installation.cli(['run', 'Write the answer', '--blueprint', 'quick', '--detach', '--json'], {
    cwd: repository.path,
  });
  expect(started).toMatchObject({ code: 0, stderr: '' });
  return (JSON.parse(started.stdout) as { run: string }).run;
}

const event = (type: string, more: object): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;

test('a run is stopped in the middle of an answer by its budget, stays so across a restart, and goes on by a person’s word', {
  timeout: 180_000,
}, async () => {
  await using model = await startModelServer(writesTheAnswer);
  let produced = 0;
  let isEndless = true;
  // An answer without an end: a model that talks and talks.
  await using endless = await beforeModel(model, (request, response, pass) => {
    if (request.method !== 'POST' || !isEndless) return pass();
    request.resume();
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const item = { id: 'msg_1', type: 'message', role: 'assistant', content: [] };
    response.write(event('response.created', { response: { id: 'resp_1', model: 'scripted', status: 'in_progress' } }));
    response.write(event('response.output_item.added', { output_index: 0, item }));
    const timer = setInterval(() => {
      const delta = 'and so on '.repeat(40);
      produced += delta.length;
      response.write(
        event('response.output_text.delta', { item_id: 'msg_1', output_index: 0, content_index: 0, delta }),
      );
    }, 5);
    response.once('close', () => {
      clearInterval(timer);
      isEndless = false;
    });
  });
  await using repository = await repositoryWithCheck();
  await using installation = await installationWith(endless.baseUrl, {
    budgets: [{ per: 'run', each: 'ever', tokens: 40_000, name: 'each-run' }],
  });
  const run = await startedIn(installation, repository);
  const parked = await installation.settled(run);
  expect(parked.state).toMatchObject({
    kind: 'parked',
    reason: { code: 'limit/budget' },
    needs: { kind: 'limit', choices: ['retry', 'abandoned'] },
  });

  // What was used, by our meter, beside what the server has produced.
  const usage = await installation.cli(['usage', run, '--json']);
  const told = JSON.parse(usage.stdout) as { rows: { tokens: { output: number } }[] };
  expect(told.rows[0]?.tokens.output).toBeGreaterThan(1_000);
  expect(told.rows[0]?.tokens.output).toBeLessThanOrEqual(Math.ceil(produced / 4));
  if (process.env['SHOW_USAGE'] !== undefined)
    process.stdout.write(
      `the server has produced ${produced} characters\n${(await installation.cli(['usage', run])).stdout}\n`,
    );

  expect((await installation.cli(['server', 'down'])).code).toBe(0);
  expect((await installation.cli(['server', 'up'])).code).toBe(0);
  expect((await installation.show(run)).state).toMatchObject({ kind: 'parked', reason: { code: 'limit/budget' } });

  expect((await installation.cli(['approve', run, '--choice', 'retry'])).code).toBe(0);
  const after = await installation.settled(run);
  expect(after.steps.map(({ node, outcome }) => `${node} ${outcome}`)).toContain('implement done');
  expect(model.requests().length).toBeGreaterThan(0);
  const logs = await installation.cli(['logs', run]);
  expect(logs.stdout).toContain('has given the budget each-run its amount once more');
});

test('a budget that its owner has raised counts for a run that goes on, which is given nothing more', {
  timeout: 180_000,
}, async () => {
  await using model = await startModelServer(writesTheAnswer);
  await using repository = await repositoryWithCheck();
  const budgets = (tokens: number) => ({ budgets: [{ per: 'run', each: 'ever', tokens, name: 'each-run' }] });
  await using installation = await installationWith(model.baseUrl, budgets(5));
  const run = await startedIn(installation, repository);
  expect((await installation.settled(run)).state).toMatchObject({ kind: 'parked', reason: { code: 'limit/budget' } });

  const config = await readFile(installation.home.config, 'utf8');
  await writeFile(installation.home.config, config.replace('tokens: 5', 'tokens: 5000000'));
  expect((await installation.cli(['retry', run])).code).toBe(0);
  const after = await installation.settled(run);
  expect(after.steps.map(({ node, outcome }) => `${node} ${outcome}`)).toContain('implement done');
  expect((await installation.cli(['logs', run])).stdout).not.toContain('has given');
});

test('a run whose account has used up its quota waits for the reset, and then goes on by itself', {
  timeout: 180_000,
}, async () => {
  await using model = await startModelServer(writesTheAnswer);
  const quotaSeconds = 20;
  let resetAt: number | undefined;
  let refused = 0;
  await using metered = await beforeModel(model, (request, response, pass) => {
    if (request.method !== 'POST') return pass();
    resetAt ??= Date.now() + quotaSeconds * 1000;
    if (Date.now() >= resetAt) return pass();
    refused += 1;
    request.resume();
    response.writeHead(429, { 'content-type': 'application/json' });
    const error = {
      type: 'usage_limit_reached',
      message: 'The usage limit has been reached',
      resets_in_seconds: Math.ceil((resetAt - Date.now()) / 1000),
    };
    response.end(JSON.stringify({ error }));
  });
  await using repository = await repositoryWithCheck();
  await using installation = await installationWith(metered.baseUrl);
  const run = await startedIn(installation, repository);
  const parked = await installation.settled(run);
  expect(parked.state).toMatchObject({ kind: 'parked', reason: { code: 'limit/quota' }, needs: { kind: 'limit' } });
  const until = parked.state.kind === 'parked' ? Date.parse(parked.state.needs.until ?? '') : 0;
  expect(Math.abs(until - (resetAt ?? 0))).toBeLessThan(2_000);
  const why = await installation.cli(['why', run]);
  expect(why.stdout).toContain('It needs nothing: it goes on by itself at');
  if (process.env['SHOW_USAGE'] !== undefined) process.stdout.write(`${why.stdout}\n`);

  await waitUntil(
    async () =>
      (await installation.show(run)).steps.some(({ node, outcome }) => node === 'implement' && outcome === 'done'),
    { timeoutMs: 90_000, everyMs: 250, what: 'the run to go on by itself' },
  );
  expect(refused).toBe(1);
  const done = await installation.settled(run);
  expect(done.steps.map(({ node, outcome }) => `${node} ${outcome}`)).toEqual(
    expect.arrayContaining(['implement limit', 'implement done']),
  );
});
