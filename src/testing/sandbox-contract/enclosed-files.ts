import { chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Walls } from '../../ports/sandbox.ts';
import { PATH, run, script } from './program.ts';
import { enclosedWorkspace } from './workspace.ts';

/** What programs find of the host where an enclosure says what they see. */
export function enclosedFilesCases(walls: Walls): void {
  test('a program works in its workspace, at the place that the enclosure says', async () => {
    await using workspace = await enclosedWorkspace();
    const sandbox = walls.enclose(workspace.enclosure());
    const cwd = join(workspace.tree, 'sub');
    const result = await run(sandbox, script('pwd -P; echo $PWD; cat ../given; echo made > made', { cwd }));
    expect(result).toMatchObject({ code: 0, stdout: '/workspace/sub\n/workspace/sub\ngiven\n' });
    expect(await readFile(join(cwd, 'made'), 'utf8')).toBe('made\n');
  });

  test('what is mounted read-only is read and not changed', async () => {
    await using workspace = await enclosedWorkspace();
    const { tree, objects } = workspace;
    const code = `cat ${objects}/object; echo x 2>/dev/null > ${objects}/object || echo refused; rm -f ${objects}/object || true`;
    const result = await run(walls.enclose(workspace.enclosure()), script(code, { cwd: tree }));
    expect(result.stdout).toContain('object\n');
    expect(await readFile(join(objects, 'object'), 'utf8')).toBe('object\n');
  });

  test('a later mount lies on top of an earlier one', async () => {
    await using workspace = await enclosedWorkspace();
    const enclosure = workspace.enclosure();
    const over = { host: workspace.objects, inside: '/workspace/sub', writable: false };
    const sandbox = walls.enclose({ ...enclosure, mounts: [...enclosure.mounts, over] });
    const result = await run(sandbox, script('cat given sub/object', { cwd: workspace.tree }));
    expect(result.stdout).toBe('given\nobject\n');
  });

  test('inside tells where programs find a path of the host', async () => {
    await using workspace = await enclosedWorkspace();
    const { tree, home, objects, root } = workspace;
    const sandbox = walls.enclose(workspace.enclosure());
    expect(sandbox.inside(tree)).toBe('/workspace');
    expect(sandbox.inside(join(tree, 'a/b'))).toBe('/workspace/a/b');
    expect(sandbox.inside(join(home, '.config'))).toBe('/home/agent/.config');
    expect(sandbox.inside(join(objects, 'x'))).toBe(join(objects, 'x'));
    expect(sandbox.inside(`${tree}-other`)).toBe(`${tree}-other`);
    expect(sandbox.inside(root)).toBe(root);
  });

  test('finds a program that lies in the workspace by its path and on its PATH, as programs see them', async () => {
    await using workspace = await enclosedWorkspace();
    const { tree } = workspace;
    await mkdir(join(tree, 'bin'));
    await writeFile(join(tree, 'bin/own'), '#!/bin/sh\necho "own $0"\n');
    await chmod(join(tree, 'bin/own'), 0o755);
    await symlink('/workspace/bin/own', join(tree, 'bin/linked'));
    const sandbox = walls.enclose(workspace.enclosure());
    const env = { PATH: `/workspace/bin:${PATH}` };
    for (const name of ['own', '/workspace/bin/own', './bin/own', 'linked', '/workspace/bin/linked']) {
      const result = await run(sandbox, { argv: [name], cwd: tree, env });
      expect(result).toMatchObject({ code: 0, stdout: expect.stringContaining('own /workspace/') });
    }
    await expect(sandbox.spawn({ argv: ['absent'], cwd: tree, env })).rejects.toMatchObject({
      code: 'sandbox/cannot-start',
    });
  });

  test('refuses to start without what it is to see', async () => {
    await using workspace = await enclosedWorkspace();
    const enclosure = workspace.enclosure();
    const gone = { host: join(workspace.root, 'gone'), inside: '/gone', writable: false };
    const sandbox = walls.enclose({ ...enclosure, mounts: [...enclosure.mounts, gone] });
    await expect(sandbox.spawn(script('true', { cwd: workspace.tree }))).rejects.toMatchObject({
      code: 'sandbox/cannot-start',
    });
  });

  test('no file of the host is seen but the system’s and what is mounted', async () => {
    await using workspace = await enclosedWorkspace();
    const { secret, tree, root } = workspace;
    await symlink(secret, join(tree, 'link'));
    const { homedir } = userInfo();
    const code = `cat ${secret} link ${homedir}/.bashrc ${homedir}/.profile; ls ${root} /tmp /home /mnt /srv /boot; cat /etc/shadow; true`;
    const result = await run(walls.enclose(workspace.enclosure()), script(code, { cwd: tree }));
    expect(result.stdout).not.toContain('hidden-words');
    expect(result.stdout).not.toContain('secret');
    expect(result.stderr).toContain(`${secret}: No such file`);
    expect(result.stderr).toContain('/etc/shadow: No such file');
  });

  test('what a program needs to read is there at its own place, read-only', async () => {
    await using workspace = await enclosedWorkspace();
    const { secret, tree } = workspace;
    const code = `cat ${secret}; echo x 2>/dev/null >> ${secret} || echo refused`;
    const reads = [secret];
    const result = await run(walls.enclose(workspace.enclosure()), script(code, { cwd: tree, reads }));
    expect(result.stdout).toBe('hidden-words\nrefused\n');
  });

  test('the accounts are root, nobody and this user, and this user is itself', async () => {
    await using workspace = await enclosedWorkspace();
    const { uid, gid } = userInfo();
    const sandbox = walls.enclose(workspace.enclosure());
    const result = await run(sandbox, script('id -u; id -g; wc -l < /etc/passwd', { cwd: workspace.tree }));
    const [seenUid, seenGid, accounts] = result.stdout.trim().split('\n').map(Number);
    expect([seenUid, seenGid]).toEqual([uid, gid]);
    expect(accounts).toBeLessThanOrEqual(3);
    await writeFile(join(workspace.tree, 'mine'), '');
    const owner = await run(sandbox, script('stat -c %u mine', { cwd: workspace.tree }));
    expect(owner.stdout.trim()).toBe(`${uid}`);
  });
}
