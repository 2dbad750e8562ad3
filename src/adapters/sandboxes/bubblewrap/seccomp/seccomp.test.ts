import { expect, test } from 'vitest';
import { ARCHITECTURES, type Call } from './calls.ts';
import { seccompFilter } from './index.ts';

const ALLOWED = 'allowed';
const [EPERM, ENOSYS, EAFNOSUPPORT] = [1, 38, 97];
const X64 = 0xc000003e;

interface Asked {
  readonly call: number;
  readonly audit?: number;
  readonly arguments?: readonly number[];
}

/** What the kernel would do with a call: it runs the filter as the kernel's own small machine does. */
function verdict(architecture: string, { call, audit, arguments: given = [] }: Asked): number | typeof ALLOWED {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(call >>> 0, 0);
  data.writeUInt32LE(audit ?? ARCHITECTURES[architecture]?.audit ?? 0, 4);
  for (const [index, value] of given.entries())
    data.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)), 16 + 8 * index);
  return run(seccompFilter(architecture) ?? Buffer.alloc(0), data);
}

function run(filter: Buffer, data: Buffer): number | typeof ALLOWED {
  for (let at = 0, word = 0; ; at += 8) {
    const operand = filter.readUInt32LE(at + 4);
    const jump = (holds: boolean) => 8 * filter.readUInt8(at + (holds ? 2 : 3));
    switch (filter.readUInt16LE(at)) {
      case 0x20:
        word = data.readUInt32LE(operand);
        break;
      case 0x06:
        return operand === 0x7fff0000 ? ALLOWED : operand & 0xffff;
      case 0x15:
        at += jump(word === operand);
        break;
      case 0x35:
        at += jump(word >= operand);
        break;
      case 0x45:
        at += jump((word & operand) !== 0);
        break;
      default:
        throw new Error('an instruction that no filter of ours has');
    }
  }
}

for (const [architecture, { calls }] of Object.entries(ARCHITECTURES)) {
  const number = (call: Call) => calls[call] ?? -1;
  const asked = (call: Call, ...given: number[]) => verdict(architecture, { call: number(call), arguments: given });

  test(`${architecture}: calls of the machine, of mounts and of keyrings are refused`, () => {
    for (const call of ['mount', 'fsopen', 'bpf', 'keyctl', 'io_uring_setup', 'kexec_load', 'setns'] as const) {
      expect(asked(call)).toBe(EPERM);
    }
  });

  test(`${architecture}: a new process is allowed, one in namespaces of its own is not`, () => {
    expect(asked('clone', 17)).toBe(ALLOWED);
    expect(asked('clone', 0x003d0f00)).toBe(ALLOWED);
    for (const flag of [0x20000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000]) {
      expect(asked('clone', flag | 17)).toBe(EPERM);
      expect(asked('unshare', flag)).toBe(EPERM);
    }
    expect(asked('clone3')).toBe(ENOSYS);
    expect(asked('unshare', 0x400)).toBe(ALLOWED);
    expect(asked('unshare', 0x80)).toBe(EPERM);
  });

  test(`${architecture}: typing into a terminal is refused, also with more bits than the kernel looks at`, () => {
    expect(asked('ioctl', 0, 0x5401)).toBe(ALLOWED);
    expect(asked('ioctl', 0, 0x5412)).toBe(EPERM);
    expect(asked('ioctl', 0, 0x541c)).toBe(EPERM);
    expect(asked('ioctl', 0, 0x1_0000_5412)).toBe(EPERM);
  });

  test(`${architecture}: sockets of the well-known families only`, () => {
    for (const family of [1, 2, 10, 16]) expect(asked('socket', family)).toBe(ALLOWED);
    for (const family of [17, 38, 40, 0]) expect(asked('socket', family)).toBe(EAFNOSUPPORT);
    expect(asked('socketpair', 1)).toBe(ALLOWED);
    expect(asked('socketpair', 30)).toBe(EAFNOSUPPORT);
  });

  test(`${architecture}: a personality can be asked for, and not changed`, () => {
    expect(asked('personality', 0xffffffff)).toBe(ALLOWED);
    expect(asked('personality', 0)).toBe(ALLOWED);
    expect(asked('personality', 8)).toBe(EPERM);
  });

  test(`${architecture}: no call has the number of another one, and all others are allowed`, () => {
    const numbers = Object.values(calls);
    expect(new Set(numbers).size).toBe(numbers.length);
    for (let call = 0; call < 470; call++) {
      if (!numbers.includes(call)) expect(verdict(architecture, { call })).toBe(ALLOWED);
    }
  });
}

test('calls in the way of another architecture are refused', () => {
  const getpid = { call: 39 };
  expect(verdict('x64', getpid)).toBe(ALLOWED);
  expect(verdict('x64', { ...getpid, audit: 0x40000003 })).toBe(ENOSYS);
  expect(verdict('arm64', { ...getpid, audit: X64 })).toBe(ENOSYS);
  expect(verdict('x64', { call: 0x40000000 | 39 })).toBe(ENOSYS);
});

test('an architecture whose calls are not known has no filter', () => {
  expect(seccompFilter('mips')).toBeUndefined();
});
