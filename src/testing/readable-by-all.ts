import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Whether any user of this machine may enter the folder and all above it. */
export function readableByAll(folder: string): boolean {
  const mode = statSync(folder).mode & 0o005;
  const parent = dirname(resolve(folder));
  return mode === 0o005 && (parent === resolve(folder) || readableByAll(parent));
}

/** Whether an ordinary user can run this checkout's programs: not where root keeps it below a folder of its own. */
export const checkoutIsPublic = readableByAll(fileURLToPath(new URL('../../', import.meta.url)));
