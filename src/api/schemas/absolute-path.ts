import { z } from 'zod';

/** A relative one would be taken for one below the daemon's own folder. */
export const AbsolutePath = z.string().startsWith('/', 'give an absolute path');
