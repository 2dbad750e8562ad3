import { lstat, readdir, readlink, realpath } from 'node:fs/promises';
import { type Part, readOnly } from './part.ts';

/** Folders of the host's root that hold programs; links among them stay links. */
const OF_ROOT = /^(usr|bin|sbin|lib[a-z0-9]*)$/;

/** The system's own programs and libraries. */
export async function systemFiles(): Promise<Part[]> {
  const root = (await readdir('/')).filter((name) => OF_ROOT.test(name)).map((name) => `/${name}`);
  const parts = await Promise.all([...root, '/nix/store'].map((path) => asItIs(path)));
  return parts.flat();
}

/** Where a link in the walls' /etc finds it. */
export const RESOLVER = '/run/switchyard/resolv.conf';

/** Where names are looked up: of use only with the host's network. */
export async function resolverFiles(): Promise<Part[]> {
  const file = await realpath('/etc/resolv.conf').catch(() => undefined);
  return file === undefined ? [] : [{ kind: 'show', host: file, inside: RESOLVER, writable: false, optional: true }];
}

/**
 * What of /proc belongs to the machine: the kernel lets root's processes write there for their number alone, whatever rights they have
 * given up (`core_pattern`, for one, names a program that the kernel itself starts, outside of all walls). Others may not anyway.
 */
export async function machineProc(): Promise<Part[]> {
  if (process.getuid?.() !== 0) return [];
  const parts = await Promise.all(OF_PROC.map((name) => asItIs(`/proc/${name}`)));
  return parts.flat();
}

const OF_PROC = ['sys', 'sysrq-trigger', 'fs', 'acpi', 'scsi'];

async function asItIs(path: string): Promise<Part[]> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return [];
  return found.isSymbolicLink() ? [{ kind: 'link', inside: path, target: await readlink(path) }] : [readOnly(path)];
}
