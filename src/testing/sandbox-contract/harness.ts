import { whichOn } from '../../lib/exec/which.ts';
import { BARE_ENCLOSURE, type Walls } from '../../ports/sandbox.ts';
import { strayScript } from '../marked-processes.ts';
import { script } from './program.ts';

// A process that plays the harness: starts strays in a sandbox, tells the sandbox's name, and stays until it is killed.
const [module = '', name = '', sleep = ''] = process.argv.slice(2);
const exports = (await import(module)) as Record<string, (which: ReturnType<typeof whichOn>) => Promise<Walls>>;
const walls = await exports[name]?.(whichOn(process.env['PATH']));
const sandbox = walls?.enclose(BARE_ENCLOSURE);
const running = await sandbox?.spawn(script(`${strayScript(sleep)}; sleep 86400`));
process.stdout.write(`${running?.namespace}\n`);
await running?.exited;
