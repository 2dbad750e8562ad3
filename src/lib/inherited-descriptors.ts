import { closeSync, readdirSync, readFileSync } from 'node:fs';

/**
 * Closes what whoever started this process had open beside the three standard streams. Node keeps the first few of them from the programs
 * that it starts, but hands all others on, through every wall. What Node and we ourselves open is closed when a program begins, which is
 * how the two are told apart. Only where the kernel tells of it (Linux).
 */
export function closeInherited(): void {
  for (const name of descriptors()) {
    const descriptor = Number(name);
    if (descriptor > 2 && isHandedOn(name)) closeSync(descriptor);
  }
}

function descriptors(): string[] {
  try {
    return readdirSync('/proc/self/fdinfo');
  } catch {
    return [];
  }
}

/** O_CLOEXEC, of which `node:fs` has no constant. */
const CLOSED_ON_EXEC = 0o2000000;

function isHandedOn(descriptor: string): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'latin1'))?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & CLOSED_ON_EXEC) === 0;
  } catch {
    return false; // closed meanwhile: it was that of the listing
  }
}
