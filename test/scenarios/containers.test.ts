import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { processesWith, uniqueSleep, untilProcessesWith } from '../../src/testing/marked-processes.ts';
import { tempRepository } from '../../src/testing/temp-repository.ts';
import { inContainers } from '../support/in-containers.ts';
import { Installation } from '../support/installation.ts';

/** Whole runs at level `container`: what a repository's `.devcontainer` may choose, and a daemon that dies over them. */

await inContainers((image) => {
  const { name, env } = image;
  const podman = async (...args: string[]) =>
    (await promisify(execFile)('podman', args, { env: { ...process.env, ...env } })).stdout.trim();

  const CHECKED = { '.switchyard/config.yaml': 'checks:\n  there: { run: "test -e begun.txt" }\nsetup: none\n' };

  interface Machine {
    /** What the only agent does, as a line of `sh`. */
    readonly agent: string;
    readonly container: object;
  }
  const installed = ({ agent, container }: Machine) =>
    Installation.create({
      config: JSON.stringify({ agents: { sh: { kind: 'custom', command: ['sh', '-c', agent] } }, container }),
      sandbox: 'container',
      env,
    });

  test('a repository runs in the image that its Dockerfile makes, where the machine’s owner allows it', {
    timeout: 180_000,
  }, async () => {
    await using repository = await tempRepository({
      '.devcontainer/devcontainer.json':
        '{ "build": { "dockerfile": "Dockerfile" }, "containerEnv": { "MODE": "dev", "HOME": "/x" }, "postCreateCommand": "test \\"$MODE\\" = dev && echo ready >ready.txt" }',
      '.devcontainer/Dockerfile': `FROM ${name}\nENV SAID=built\nCOPY tool /own/tool\n`,
      '.devcontainer/tool': 'made of the commit\n',
      '.gitignore': 'ready.txt\n',
      '.switchyard/config.yaml': 'checks:\n  made: { run: "test -s answer.txt" }\n',
    });
    const agent = 'echo "$SAID $MODE $HOME $(cat /own/tool ready.txt)" | tr "\\n" " " >answer.txt';
    const devcontainer = { images: [name], build: 'offline' };
    await using allowed = await installed({ agent, container: { image: name, devcontainer } });
    const run = await allowed.cli(['run', 'Answer', '--blueprint', 'quick', '--json'], { cwd: repository.path });
    expect(run.stderr).toBe('');
    expect(run.stdout).toMatch(
      /programs run in localhost\/switchyard-devcontainer:[0-9a-f]{24}, as config.yaml allows/,
    );
    expect(run.stdout).toContain('HOME is not set');
    const { run: id, slug } = JSON.parse(run.stdout.split('\n')[0] ?? '{}') as { run: string; slug: string };
    const { state } = await allowed.settled(id);
    expect({ code: run.code, kind: state.kind, slug }).toMatchObject({
      kind: expect.stringMatching(/parked|succeeded/) as string,
    });
    expect((await allowed.cli(['diff', id])).stdout).toContain('+built dev /home/agent made of the commit ready');
    const doctor = (await allowed.cli(['doctor'])).stdout;
    expect(doctor).toContain('its Dockerfile is built of these, without a network');
    expect(await podman('ps', '--all', '--quiet')).toBe('');
  });

  test('of a daemon that is killed nothing is left by the next one, not even of a program that has ended its watcher', {
    timeout: 180_000,
  }, async () => {
    const sleep = uniqueSleep();
    const agent = `[ -e begun.txt ] && echo over >done.txt && exit; echo x >begun.txt; kill -9 -1; exec sleep ${sleep}`;
    await using repository = await tempRepository(CHECKED);
    await using installation = await installed({ agent, container: { image: name } });
    const daemon = await installation.startDaemon();
    const args = ['run', 'Wait', '--blueprint', 'quick', '--detach', '--json'];
    const started = await installation.cli(args, { cwd: repository.path });
    expect(started.stderr).toBe('');
    const { run } = JSON.parse(started.stdout) as { run: string };
    await untilProcessesWith(sleep, 1);
    daemon.kill('SIGKILL');
    await installation.startDaemon();
    const { state } = await installation.settled(run);
    expect(state.kind).not.toBe('failed');
    expect((await installation.cli(['diff', run])).stdout).toContain('+over');
    expect(processesWith(sleep)).toEqual([]);
    expect(await podman('ps', '--all', '--quiet')).toBe('');
  });

  test('what a killed daemon has left, doctor --fix ends without another one', { timeout: 120_000 }, async () => {
    const sleep = uniqueSleep();
    await using repository = await tempRepository(CHECKED);
    await using installation = await installed({
      agent: `kill -9 -1; exec sleep ${sleep}`,
      container: { image: name },
    });
    const daemon = await installation.startDaemon();
    const args = ['run', 'Wait', '--blueprint', 'quick', '--detach', '--json'];
    expect((await installation.cli(args, { cwd: repository.path })).stderr).toBe('');
    await untilProcessesWith(sleep, 1);
    const living = await installation.cli(['doctor', '--fix', '--json']);
    expect(living.stdout).not.toContain('the container switchyard-');
    expect(processesWith(sleep)).toHaveLength(1);
    daemon.kill('SIGKILL');
    await untilProcessesWith(sleep, 1);
    const fixed = await installation.cli(['doctor', '--fix', '--json']);
    expect(fixed.stdout).toContain('the container switchyard-');
    expect(processesWith(sleep)).toEqual([]);
    expect(await podman('ps', '--all', '--quiet')).toBe('');
  });
});
