import { realpath } from 'node:fs/promises';
import type { Which } from '../../../../lib/exec/which.ts';
import { isSystem, type Part } from '../part.ts';
import { NODE_BRIDGE, NODE_BRIDGE_START } from './node.ts';
import { PERL_BRIDGE } from './perl.ts';

/** A program that leads loopback ports of the walls to sockets, and becomes the program that is meant when they are open. */
export interface BridgeProgram {
  readonly mechanism: 'perl' | 'node';
  /** What it needs beside the system's own files. */
  readonly parts: readonly Part[];
  /** Variables that the program's environment must not have when the bridge is started with it. */
  readonly heldBack: RegExp | undefined;
  start(asked: {
    /** Ports, each followed by its socket within the walls. */
    readonly ways: readonly string[];
    readonly held: Readonly<Record<string, string>>;
    readonly argv: readonly [string, ...string[]];
  }): readonly [string, ...string[]];
}

/** Where programs find the scripts, and what is in them. */
const FOLDER = '/etc/switchyard';
export const BRIDGE_SCRIPTS = { 'bridge.pl': PERL_BRIDGE, 'bridge.cjs': NODE_BRIDGE } as const;

/** The bridges that this host could have, best first: a Perl starts in a fifth of the time that a Node takes, and in a tenth of the memory. */
export async function bridgePrograms(which: Which): Promise<readonly BridgeProgram[]> {
  const perl = await which('perl');
  const shell = await which('sh');
  const found: BridgeProgram[] = [];
  // A Perl of a version manager's would have to be shown with all its libraries.
  const systemPerl = perl !== undefined && isSystem(perl) ? perl : await systemsOwn(which, 'perl');
  if (systemPerl !== undefined) found.push(perlBridge(systemPerl));
  if (shell !== undefined) found.push(nodeBridge(shell, await realpath(process.execPath)));
  return found;
}

async function systemsOwn(which: Which, name: string): Promise<string | undefined> {
  for (const path of [`/usr/bin/${name}`, `/bin/${name}`]) {
    const found = await which(path);
    if (found !== undefined) return found;
  }
  return undefined;
}

function perlBridge(perl: string): BridgeProgram {
  return {
    mechanism: 'perl',
    parts: [],
    heldBack: /^PERL/,
    start: ({ ways, held, argv }) => [
      perl,
      `${FOLDER}/bridge.pl`,
      ...ways,
      '--',
      ...Object.entries(held).flat(),
      '--',
      ...argv,
    ],
  };
}

function nodeBridge(shell: string, node: string): BridgeProgram {
  const inside = '/run/switchyard/node';
  return {
    mechanism: 'node',
    parts: [{ kind: 'show', host: node, inside, writable: false }],
    heldBack: undefined,
    start({ ways, argv }) {
      const words = ['-c', NODE_BRIDGE_START, 'sh', inside, `${FOLDER}/bridge.cjs`];
      return [shell, ...words, ...ways, '--', ...argv];
    },
  };
}
