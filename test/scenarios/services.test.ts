import { afterAll, beforeAll, expect, type TestContext, test } from 'vitest';
import { freePort } from '../../src/testing/free-port.ts';
import { plainGit, tempRepository } from '../../src/testing/temp-repository.ts';
import { Installation } from '../support/installation.ts';

/** What a repository has beside its files, through whole runs: services, submodules, folders. */

/** `pid` leaves the network open, `bubblewrap` gives each program a loopback of its own. */
const LEVELS = ['pid', 'bubblewrap'] as const;
const installations = new Map<string, Installation>();

beforeAll(async () => {
  const config = 'agents:\n  writer: { kind: custom, command: [sh, -c, "echo done >packages/a/done.txt"] }\n';
  for (const sandbox of LEVELS) installations.set(sandbox, await Installation.create({ config, sandbox }));
});
afterAll(async () => {
  for (const installation of installations.values()) await installation[Symbol.asyncDispose]();
});

async function run(level: string, cwd: string, context: TestContext) {
  const installation = installations.get(level);
  if (installation === undefined) throw new Error(`no installation for ${level}`);
  const result = await installation.cli(['run', 'Do it', '--blueprint', 'quick', '--json'], { cwd });
  if (result.stderr.includes('sandbox/unavailable')) context.skip(result.stderr);
  return { installation, result };
}

const SERVER = `
import { createServer } from 'node:http';
import { existsSync } from 'node:fs';
const server = createServer((_, response) => response.end('from the service'));
server.listen(Number(process.argv[2]), '127.0.0.1', () => console.log('listening'));
setInterval(() => { if (existsSync('packages/a/done.txt') && process.argv[3]) { console.log('secret_token=abc'); process.exit(4); } }, 20);
`;
const ASK = `
const answer = await fetch('http://127.0.0.1:' + process.argv[2]).then((one) => one.text());
if (answer !== 'from the service') process.exit(1);
`;

test.for(LEVELS)(
  'at %s setup, agents and checks find a service, in a workspace with a submodule and some folders only',
  { timeout: 120_000 },
  async (level, context) => {
    const port = await freePort();
    await using lib = await tempRepository({ 'lib.txt': 'lib\n' });
    await using repository = await tempRepository({
      'server.mjs': SERVER,
      'ask.mjs': ASK,
      'packages/a/a.txt': 'a\n',
      'packages/b/b.txt': 'b\n',
      '.switchyard/config.yaml': `
services:
  web: { run: "exec '${process.execPath}' server.mjs ${port}", port: ${port}, ready: "'${process.execPath}' ask.mjs ${port}" }
setup:
  - "'${process.execPath}' ask.mjs ${port}"
  - { path: packages/a, run: "test -e a.txt" }
checks:
  asks: { run: "'${process.execPath}' ask.mjs ${port}" }
  folders: { run: "test -e a.txt && test ! -e ../b && test -e done.txt && test -e ../../libs/lib/lib.txt", path: packages/a }
workspace: { sparse: [packages/a, libs] }
`,
    });
    await repository.git('-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', lib.path, 'libs/lib');
    await repository.commit({}, 'A submodule');
    const { result } = await run(level, repository.path, context);
    expect(result).toMatchObject({ code: 0 });
    const files = (await plainGit(repository.path, 'ls-tree', '-r', '--name-only', 'main')).split('\n');
    expect(files).toEqual(expect.arrayContaining(['libs/lib', 'packages/a/done.txt', 'packages/b/b.txt']));
    await expect(fetch(`http://127.0.0.1:${port}`)).rejects.toThrow();
  },
);

test.for(LEVELS)(
  'at %s a service that dies fails the step, with its last lines and without what looks like a secret',
  { timeout: 120_000 },
  async (level, context) => {
    const port = await freePort();
    await using repository = await tempRepository({
      'server.mjs': SERVER,
      'packages/a/a.txt': 'a\n',
      '.switchyard/config.yaml': `
services:
  web: { run: "exec '${process.execPath}' server.mjs ${port} dies", port: ${port} }
setup: none
checks:
  waits: { run: "while '${process.execPath}' -e 'fetch(process.argv[1]).catch(() => process.exit(1))' http://127.0.0.1:${port}; do :; done" }
`,
    });
    const { installation, result } = await run(level, repository.path, context);
    expect(result).toMatchObject({ code: 3 });
    expect(result.stdout).toContain(
      'The service web ended with 4. Its last lines:\\nlistening\\nsecret_token=[hidden]',
    );
    const id = (JSON.parse(result.stdout.split('\n')[0] ?? '') as { run: string }).run;
    const shown = await installation.show(id);
    expect(shown.state).toMatchObject({ kind: 'parked' });
  },
);
