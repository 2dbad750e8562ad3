import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { whichOn } from '../../../lib/exec/which.ts';
import type { NetworkAccess, Sandbox } from '../../../ports/sandbox.ts';
import { plainSandbox } from '../../../testing/plain-sandbox.ts';
import { PATH, run, script } from '../../../testing/sandbox-contract/program.ts';
import { enclosedWorkspace } from '../../../testing/sandbox-contract/workspace.ts';
import { ARCHITECTURES, type Call } from './seccomp/calls.ts';
import { bubblewrapLevel } from './testing.ts';

// What the kernel answers to real programs within the walls; `seccomp.test.ts` asks the filter alone.

const which = whichOn('/usr/local/bin:/usr/bin:/bin');
const probed = await bubblewrapLevel(which);
const perl = await which('perl');
const calls = ARCHITECTURES[process.arch]?.calls;
const why = 'missing' in probed ? probed.missing : perl === undefined ? 'there is no perl' : undefined;
const canAsk = why === undefined && calls !== undefined;

const EPERM = 1;
const SHUT: NetworkAccess = { kind: 'none' };

async function within<T>(use: (sandbox: Sandbox, cwd: string) => Promise<T>): Promise<T> {
  if ('missing' in probed) throw new Error(probed.missing);
  await using workspace = await enclosedWorkspace();
  return await use(probed.enclose(workspace.enclosure(SHUT)), workspace.tree);
}

/** What each of these calls sets `errno` to; 0 for one that was done. */
async function answers(sandbox: Sandbox, cwd: string, asked: readonly (readonly [Call, ...(number | string)[]])[]) {
  const lines = asked.map(([call, ...given]) => {
    const words = [
      String(calls?.[call]),
      ...given.map((value) => (typeof value === 'string' ? `my $s = "${value}\\0"` : value)),
    ];
    return `$! = 0; my $r = syscall(${words.join(', ')}); print $r < 0 ? $! + 0 : 0, " ";`;
  });
  const { stdout, stderr } = await run(sandbox, {
    argv: ['perl', '-e', lines.map((line) => `{ ${line} }`).join('\n')],
    cwd,
    env: { PATH },
  });
  expect(stderr).toBe('');
  return stdout.trim().split(' ').map(Number);
}

test.skipIf(!canAsk)('what no program needs is refused, also where this user might do it outside', async () => {
  const asked = [
    ['keyctl', 0, -3, 0],
    ['io_uring_setup', 0, 0],
    ['userfaultfd', 1],
    ['perf_event_open', 0, 0, -1, -1, 0],
    ['name_to_handle_at', -1, 0, 0, 0, 0],
    ['fsopen', 'tmpfs', 0],
    ['open_tree', -100, '/', 0x80000],
    ['bpf', 0, 0, 0],
    ['personality', 8],
    ['unshare', 0x10000000],
    ['chroot', '/'],
  ] as const;
  const seen = await within((sandbox, cwd) => answers(sandbox, cwd, asked));
  expect(seen).toEqual(asked.map(() => EPERM));
  // Without the walls the same calls are looked at: none of these does anything.
  const harmless = asked.filter(([call]) => ['keyctl', 'io_uring_setup', 'name_to_handle_at'].includes(call));
  const outside = await answers(plainSandbox(), '/', harmless);
  expect(outside).not.toContain(EPERM);
});

test.skipIf(!canAsk)('what programs need is done', async () => {
  const asked = [
    ['unshare', 0x400],
    ['personality', 0xffffffff],
    ['socket', 1, 1, 0],
    ['socket', 2, 1, 0],
    ['socket', 10, 1, 0],
    ['socket', 16, 3, 0],
  ] as const;
  const seen = await within((sandbox, cwd) => answers(sandbox, cwd, asked));
  expect(seen).toEqual(asked.map(() => 0));
});

test.skipIf(!canAsk)('sockets of rare families are refused as unknown', async () => {
  const asked = [
    ['socket', 17, 3, 0],
    ['socket', 38, 5, 0],
    ['socket', 40, 1, 0],
  ] as const;
  const seen = await within((sandbox, cwd) => answers(sandbox, cwd, asked));
  expect(seen).toEqual([97, 97, 97]);
});

test.skipIf(!canAsk)('nothing can be typed into a terminal, whose other settings can be asked for', async () => {
  const code = 'for my $c (0x5412, 0x541c, 0x5401) { $! = 0; ioctl(STDIN, $c, my $b = "x" x 64); print $! + 0, " " }';
  const program = (cwd: string) => ({ argv: ['perl', '-e', code] as const, cwd, env: { PATH } });
  const seen = await within((sandbox, cwd) => run(sandbox, program(cwd)));
  const outside = await run(plainSandbox(), program('/'));
  const [NOTTY, EOPNOTSUPP] = [25, 95];
  const byItself = [NOTTY, EOPNOTSUPP].map(String);
  expect(seen.stdout.trim().split(' ').slice(0, 2)).toEqual(['1', '1']);
  expect(byItself).toContain(seen.stdout.trim().split(' ')[2]);
  expect(byItself).toContain(outside.stdout.trim().split(' ')[0]);
});

test.skipIf('missing' in probed)('namespaces and mounts cannot be made, processes can', async () => {
  const { stdout } = await within((sandbox, cwd) =>
    run(
      sandbox,
      script(
        '(unshare -Ur true || echo no-user; unshare -m true || echo no-mount; mount -t tmpfs x /tmp || echo no-tmpfs) 2>/dev/null; (true) && echo forked',
        { cwd },
      ),
    ),
  );
  expect(stdout).toBe('no-user\nno-mount\nno-tmpfs\nforked\n');
});

test.skipIf('missing' in probed)('no right is left, and none can be had', async () => {
  const { stdout } = await within((sandbox, cwd) =>
    run(sandbox, script("grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status | tr -d '\\t '", { cwd })),
  );
  const sets = ['Inh', 'Prm', 'Eff', 'Bnd', 'Amb'].map((set) => `Cap${set}:0000000000000000`);
  const filter = calls === undefined ? 'Seccomp:0' : 'Seccomp:2';
  expect(stdout.trim().split('\n')).toEqual([...sets, 'NoNewPrivs:1', filter]);
});

test.skipIf('missing' in probed)('the machine’s settings are read and not written, also by root', async () => {
  const settings = ['kernel/core_pattern', 'vm/drop_caches', 'kernel/hostname', 'fs/inotify/max_user_watches'];
  // Opened only: nothing is written.
  const tries = settings.map((name) => `(: >> /proc/sys/${name}) 2>/dev/null && echo open`).join('; ');
  const { stdout } = await within((sandbox, cwd) =>
    run(
      sandbox,
      script(`${tries}; cat /proc/sys/kernel/ostype; echo 5 > /proc/self/oom_score_adj && echo own`, { cwd }),
    ),
  );
  expect(stdout).toBe('Linux\nown\n');
});

test.skipIf('missing' in probed)('a debugger sees the memory of a process beside it', async (context) => {
  if ((await which('strace')) === undefined) context.skip('there is no strace');
  const { stdout, code } = await within(async (sandbox, cwd) => {
    const result = await run(sandbox, script('strace -o traced true && grep -c exit_group traced', { cwd }));
    expect(await readFile(join(cwd, 'traced'), 'utf8')).toContain('execve');
    return result;
  });
  expect({ stdout, code }).toEqual({ stdout: '1\n', code: 0 });
});
