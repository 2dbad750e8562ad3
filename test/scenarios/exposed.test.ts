import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Event } from '../../src/domain/event.ts';
import { type TempRepository, tempRepository } from '../../src/testing/temp-repository.ts';
import { Installation } from '../support/installation.ts';

/** A login that has to lie within the walls of an agent: what a run, its evidence and its log say of it. */

let installation: Installation;
let repository: TempRepository;

beforeAll(async () => {
  installation = await Installation.create({
    config: `agents:
  open: { kind: custom, command: [sh, -c, "date +%N > made.txt"], login: ./auth.json }
  plain: { kind: custom, command: [sh, -c, "date +%N > made.txt"] }
`,
    files: { 'auth.json': '{}' },
  });
  repository = await tempRepository({
    '.switchyard/config.yaml': 'checks: { made: { run: "test -e made.txt" } }\nsetup: none\n',
    '.switchyard/blueprints/made.yaml': `name: made
summary: Made.
start: implement
nodes:
  implement: { agent: default, next: check, on: { unchanged: park } }
  check: { check: all, next: done, on: { fail: park, fixed: park, missing: park } }
`,
  });
});
afterAll(async () => {
  await installation[Symbol.asyncDispose]();
  await repository[Symbol.asyncDispose]();
});

async function said(agent: string) {
  const { path: cwd } = repository;
  const run = async (...args: string[]) => {
    const { code, stdout, stderr } = await installation.cli(args, { cwd });
    expect({ code, stderr }).toMatchObject({ code: 0 });
    return stdout;
  };
  await run('run', 'Make it', '--blueprint', 'made', '--agent', agent);
  const events = (await run('logs', '@last', '--json'))
    .trim()
    .split('\n')
    .map((text) => JSON.parse(text) as Event);
  return {
    check: events.find((event) => event.kind === 'check.ended'),
    log: await run('logs', '@last'),
    json: JSON.parse(await run('show', '@last', '--json')) as { exposed?: unknown },
    screen: await run('show', '@last'),
  };
}

test('a login within the walls is a part of the evidence, and shown with it and with the run', async () => {
  const login = join(installation.home.folder, 'auth.json');
  const { check, log, json, screen } = await said('open');
  expect(check).toMatchObject({ verdict: 'pass', exposed: [{ agent: 'open', login }] });
  expect(json.exposed).toEqual([{ agent: 'open', login, since: expect.stringMatching(/^\d{4}-.*Z$/) as string }]);
  const inOneLine = (text: string) => text.replace(/\s+/g, ' ');
  expect(inOneLine(log)).toContain('exposed: the login of open');
  expect(inOneLine(screen)).toContain('exposed the login of open');
});

test('without a login there is no word of one', async () => {
  const { check, log, json, screen } = await said('plain');
  expect(check).not.toHaveProperty('exposed');
  expect(json).not.toHaveProperty('exposed');
  expect(log + screen).not.toContain('exposed');
});
