import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { randomIds } from '../ids.ts';
import { isAlive } from '../processes.ts';
import { waitUntil } from '../wait-until.ts';
import { cgroupControl } from './cgroup-control.ts';
import { findDelegated, leafName, placeIn } from './cgroup2.ts';
import { removeIfEmpty } from './group-folder.ts';
import { groupName } from './group-name.ts';
import type { GroupPlace } from './group-place.ts';
import { readHierarchies } from './hierarchies.ts';
import { clearBelow } from './leftovers.ts';

describe('in a tree of files that stands for the kernel', () => {
  let root = '';
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'switchyard-cgroup2-'));
  });
  afterEach(() => rm(root, { recursive: true }));

  async function group(path: string, files: Readonly<Record<string, string>>): Promise<string> {
    const folder = join(root, path);
    await mkdir(folder, { recursive: true });
    const all = { 'cgroup.procs': '', 'cgroup.subtree_control': '', 'cgroup.controllers': '', ...files };
    for (const [name, content] of Object.entries(all)) await writeFile(join(folder, name), `${content}\n`);
    return folder;
  }

  const WANTED = ['memory', 'pids', 'cpu'];

  test('the nearest group that hands controllers down is taken, with those that it has', async () => {
    await group('', { 'cgroup.controllers': 'cpuset cpu io memory pids', 'cgroup.subtree_control': 'memory pids' });
    const slice = await group('slice', {
      'cgroup.type': 'domain',
      'cgroup.controllers': 'memory pids',
      'cgroup.subtree_control': 'memory pids',
    });
    const own = await group('slice/scope', {
      'cgroup.type': 'domain',
      'cgroup.controllers': 'memory pids',
      'cgroup.procs': '1',
    });
    expect(findDelegated({ root, own }, 'h', WANTED)).toEqual({ folder: slice, controllers: ['memory', 'pids'] });
    expect(placeIn(slice, ['memory', 'pids']).holds).toEqual(['memory', 'processes']);
    expect(existsSync(join(own, leafName('h')))).toBe(false);
  });

  test('once we have moved into a group of our own, the one above it is taken again', async () => {
    const given = await group('given', {
      'cgroup.type': 'domain',
      'cgroup.controllers': 'memory',
      'cgroup.subtree_control': 'memory',
    });
    const own = await group(`given/${leafName('h')}`, { 'cgroup.type': 'domain', 'cgroup.controllers': 'memory' });
    expect(findDelegated({ root, own }, 'h', WANTED)?.folder).toBe(given);
  });

  test('the top of the tree is told to hand down what it has, though it has processes', async () => {
    await group('', { 'cgroup.controllers': 'memory', 'cgroup.procs': '1' });
    findDelegated({ root, own: root }, 'h', WANTED);
    expect(readFileSync(join(root, 'cgroup.subtree_control'), 'utf8')).toContain('+memory');
  });

  test('there is none where no controller is offered', async () => {
    const own = await group('own', { 'cgroup.type': 'domain' });
    await group('', { 'cgroup.controllers': 'hugetlb' });
    expect(findDelegated({ root, own }, 'h', WANTED)).toBeUndefined();
  });

  test('limits are written in the words of the kernel, and only those that are set', () => {
    const place = placeIn(root, WANTED);
    expect(place.settings({ memory: 1000, cpus: 1.5, processes: 7 })).toEqual([
      { file: 'memory.max', text: '1000' },
      { file: 'memory.swap.max', text: '0', isOptional: true },
      { file: 'cpu.max', text: '150000 100000' },
      { file: 'pids.max', text: '7' },
    ]);
    expect(place.settings({})).toEqual([]);
    expect(place.settings({ cpus: 0.000_1 })).toEqual([{ file: 'cpu.max', text: '1000 100000' }]);
  });

  const memory = async (events: string, peak?: string) => {
    const folder = await group('g', {
      'memory.events': events,
      ...(peak === undefined ? {} : { 'memory.peak': peak }),
    });
    return placeIn(root, WANTED).breaches.memory?.(folder, 1000);
  };

  test('memory was run into when a process was ended for it or nothing more could be given', async () => {
    const ended = 'low 0\nhigh 0\nmax 12\noom 1\noom_kill 1\noom_group_kill 0';
    expect(await memory('max 12\noom 3\noom_kill 0')).toEqual({ limit: 'memory', max: 1000 });
    expect(await memory(ended, '1000')).toEqual({ limit: 'memory', max: 1000, used: 1000 });
  });

  test('memory was not run into when only the page cache was dropped, or the machine ended a process', async () => {
    expect(await memory('low 0\nhigh 0\nmax 500\noom 0\noom_kill 0')).toBeUndefined();
    expect(await memory('max 0\noom 0\noom_kill 1')).toBeUndefined();
  });

  const processes = async (files: Readonly<Record<string, string>>) =>
    placeIn(root, WANTED).breaches.processes?.(await group('p', files), 32);

  test('the number of processes was run into when one was refused here', async () => {
    expect(await processes({ 'pids.events': 'max 3', 'pids.peak': '32' })).toEqual({
      limit: 'processes',
      max: 32,
      used: 32,
    });
    expect(await processes({ 'pids.events': 'max 0', 'pids.peak': '32' })).toBeUndefined();
    expect(await processes({ 'pids.events': 'max 3', 'pids.peak': '9' })).toBeUndefined();
  });
});

// The kernel here may have no controllers in this tree; what groups of this version do without them is tried all the same.
const real = readHierarchies().v2;
const isOurs = () => {
  if (real === undefined) return false;
  const folder = join(real.root, `switchyard-test-${randomIds()}`);
  try {
    mkdirSync(folder);
    rmdirSync(folder);
    return true;
  } catch {
    return false;
  }
};

describe.skipIf(!isOurs())('in the tree of this kernel', () => {
  /** The kernel lets a group go a moment after its last process. */
  const removed = (folder: string) => waitUntil(() => removeIfEmpty(folder), { timeoutMs: 10_000 });

  /** Holds to nothing, so that it needs no controllers, but is made and removed as any. */
  const bare = (parent: string): GroupPlace => ({
    parent,
    holds: ['processes'],
    settings: () => [{ file: 'cgroup.max.depth', text: '4' }],
    entry: 'cgroup.procs',
    prepare: () => undefined,
    breaches: {},
  });

  test('disposing ends what lives in a group, detached programs included, and leaves nothing', async () => {
    const home = randomIds();
    const parent = real?.root ?? '';
    const child = spawn('/bin/sh', ['-c', 'read go; setsid sleep 60 & echo $!; exec sleep 60'], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const group = await cgroupControl([bare(parent)], home).start({ processes: 9 });
    await group.admit([child.pid ?? 0]);
    expect(readFileSync(`/proc/${child.pid}/cgroup`, 'utf8')).toContain(`/switchyard-${home}/`);
    child.stdin.write('go\n');
    const [said] = (await once(child.stdout, 'data')) as [Buffer];
    await group[Symbol.asyncDispose]();
    expect(isAlive({ pid: Number(said.toString()) })).toBe(false);
    expect(existsSync(join(parent, `switchyard-${home}`))).toBe(false);
  });

  test('a program can take itself in', async () => {
    await using group = await cgroupControl([bare(real?.root ?? '')], randomIds()).start({ processes: 9 });
    const [file, ...args] = group.entering(['cat', '/proc/self/cgroup']) ?? [''];
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    expect(await text(child.stdout)).toMatch(/^0::.*\/switchyard-/m);
  });

  test('of what others have left, the groups of the dead are found wherever they lie, and no more is removed', async () => {
    const home = randomIds();
    const nest = join(real?.root ?? '', `switchyard-test-${home}`);
    const dead = groupName('x').replace(/^(\d+-\d+)-\d+/, '$1-1');
    const mine = groupName('y');
    const made = ['', 'slice', `slice/${leafName(home)}`, `slice/switchyard-${home}`, 'switchyard-other'];
    const groups = [`slice/switchyard-${home}/${dead}`, `slice/switchyard-${home}/${mine}`, `switchyard-other/${dead}`];
    for (const path of [...made, ...groups]) mkdirSync(join(nest, path));
    expect(await clearBelow(nest, home)).toEqual([dead]);
    const left = [...made, ...groups].filter((path) => existsSync(join(nest, path)));
    for (const path of left.toReversed()) rmdirSync(join(nest, path));
    expect(left).toEqual(['', 'slice', `slice/switchyard-${home}`, 'switchyard-other', groups[1], groups[2]]);
  });

  const WHO = fileURLToPath(new URL('cgroup2.ts', import.meta.url));

  /** Somebody in a new group moves out of it, as far as it may. */
  async function movesOut(prepare: (folder: string) => void) {
    const home = randomIds();
    const folder = join(real?.root ?? '', `switchyard-test-${home}`);
    mkdirSync(folder);
    prepare(folder);
    const script = `
      const { makeRoom } = await import(${JSON.stringify(WHO)});
      process.stdin.once('data', () => {
        console.log(makeRoom(${JSON.stringify(folder)}, 'leaf'));
        process.exit();
      });`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    writeFileSync(join(folder, 'cgroup.procs'), `${child.pid}`);
    child.stdin.write('go\n');
    const gone = once(child, 'exit');
    const said = (await text(child.stdout)).trim();
    await gone;
    const hasLeaf = existsSync(join(folder, 'leaf'));
    if (hasLeaf) await removed(join(folder, 'leaf'));
    return { folder, said, hasLeaf };
  }

  test('a process that is alone in its group with its children moves into one below it', async () => {
    const { folder, said, hasLeaf } = await movesOut(() => undefined);
    await removed(folder);
    expect({ said, hasLeaf }).toEqual({ said: 'true', hasLeaf: true });
  });

  test('nobody else is moved: with another process in the group, all stay', async () => {
    const other = spawn('sleep', ['60'], { stdio: 'ignore' });
    const { folder, said, hasLeaf } = await movesOut((made) =>
      writeFileSync(join(made, 'cgroup.procs'), `${other.pid}`),
    );
    expect(readFileSync(join(folder, 'cgroup.procs'), 'utf8').trim()).toBe(`${other.pid}`);
    other.kill('SIGKILL');
    await once(other, 'close');
    await removed(folder);
    expect({ said, hasLeaf }).toEqual({ said: 'false', hasLeaf: false });
  });
});
