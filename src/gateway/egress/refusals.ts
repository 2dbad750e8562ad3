import { printableLine } from '../../lib/printable.ts';

const MOST = 50;
const LONGEST = 200;

/** Tells each refused host once: in one printable line, and only so many, since it is programs within the walls that name them. */
export function tellOnce(tell: (host: string) => void): (host: string) => void {
  const told = new Set<string>();
  return (host) => {
    const line = printableLine(host).slice(0, LONGEST);
    if (told.size > MOST || told.has(line)) return;
    told.add(line);
    tell(told.size > MOST ? 'further hosts' : line);
  };
}
