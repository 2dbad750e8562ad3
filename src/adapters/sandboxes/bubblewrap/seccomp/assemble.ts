/**
 * A small assembler for the kernel's classic BPF as seccomp knows it: pieces of a program that are laid one behind the other. A jump goes
 * only forward, over a number of instructions. What a piece does not decide falls through to the next one.
 */
export interface Instruction {
  readonly code: number;
  /** Instructions to leave out where the comparison holds, and where it does not; at most 255. */
  readonly holds: number;
  readonly fails: number;
  /** An operand of 32 bits. */
  readonly operand: number;
}

export type Piece = readonly Instruction[];

// Instruction classes and modes, from the kernel's linux/bpf_common.h.
const LOAD_WORD = 0x20;
const JUMP_EQUAL = 0x15;
const JUMP_AT_LEAST = 0x35;
const JUMP_ANY_BIT = 0x45;
const RETURN = 0x06;

const ALLOW = 0x7fff0000;
const ERRNO = 0x00050000;

/** Offsets in `struct seccomp_data`. */
export const CALL = 0;
export const ARCHITECTURE = 4;
/** The lower half of an argument: all that the kernel looks at where it takes an `int`. */
export const argument = (index: number): number => 16 + 8 * index;

export const allow: Piece = [plain(RETURN, ALLOW)];

/** The call fails with that error number; nothing of it is done. */
export const refuse = (errno: number): Piece => [plain(RETURN, ERRNO | errno)];

export const load = (offset: number): Piece => [plain(LOAD_WORD, offset)];

export const ifEqual = (value: number, then: Piece): Piece => [
  { code: JUMP_EQUAL, holds: 0, fails: distance(then), operand: value },
  ...then,
];

export const ifNotEqual = (value: number, then: Piece): Piece => [
  { code: JUMP_EQUAL, holds: distance(then), fails: 0, operand: value },
  ...then,
];

export const ifAtLeast = (value: number, then: Piece): Piece => [
  { code: JUMP_AT_LEAST, holds: 0, fails: distance(then), operand: value },
  ...then,
];

export const ifAnyBit = (bits: number, then: Piece): Piece => [
  { code: JUMP_ANY_BIT, holds: 0, fails: distance(then), operand: bits },
  ...then,
];

/** The bytes that the kernel takes: `struct sock_filter`s of a little-endian machine. */
export function assemble(pieces: readonly Piece[]): Buffer {
  const instructions = pieces.flat();
  const bytes = Buffer.alloc(instructions.length * 8);
  for (const [index, { code, holds, fails, operand }] of instructions.entries()) {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(holds, index * 8 + 2);
    bytes.writeUInt8(fails, index * 8 + 3);
    bytes.writeUInt32LE(operand >>> 0, index * 8 + 4);
  }
  return bytes;
}

function plain(code: number, operand: number): Instruction {
  return { code, holds: 0, fails: 0, operand };
}

function distance(piece: Piece): number {
  if (piece.length > 255) throw new RangeError('a jump over more than 255 instructions');
  return piece.length;
}
