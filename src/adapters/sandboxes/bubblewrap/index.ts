import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../../../lib/error.ts';
import { keepTail } from '../../../lib/exec/tail.ts';
import type { Which } from '../../../lib/exec/which.ts';
import type { ResourceControl } from '../../../ports/sandbox/resources.ts';
import {
  BARE_ENCLOSURE,
  type Enclosure,
  type Sandbox,
  type SandboxProgram,
  type Walls,
} from '../../../ports/sandbox.ts';
import { bridgePrograms } from './bridge/index.ts';
import { bubblewrapSandbox, namespaceOf } from './bubblewrap-sandbox.ts';
import { FoundParts } from './found-parts.ts';
import type { WallsHost } from './host.ts';
import { describe, propertiesHeld } from './promises.ts';
import { seccompFilter } from './seccomp/index.ts';
import { machineProc, resolverFiles, systemFiles } from './system-files.ts';
import { KeptWallFiles } from './wall-files.ts';

export interface BubblewrapOptions {
  readonly level: 'bubblewrap' | 'domains';
  /** Files and folders of the host that all programs see, read-only, at their own places. */
  readonly reads?: readonly string[];
  /** What is never shown because a program or a folder of a PATH lies beside it: the harness's own folders. */
  readonly never?: readonly string[];
  /** The HOME of the user who runs the harness, if it is another than the system says. */
  readonly home?: string;
  /**
   * How the path of the folder begins in which the walls' own files lie, for this user alone, as long as this process lives; in the
   * temporary folder if not given, where the system may tidy up. It must not be one that programs see.
   */
  readonly scratch?: string;
  readonly resources?: ResourceControl | undefined;
}

/**
 * The level as far as this host has it, believed only after a program ran in such walls as this user. Otherwise what is missing, as half a
 * sentence for a person.
 */
export async function probeBubblewrapWalls(
  which: Which,
  options: BubblewrapOptions,
): Promise<Walls | { readonly missing: string }> {
  const bwrap = await which('bwrap');
  if (bwrap === undefined) return { missing: 'bubblewrap is not installed' };
  const shell = await which('sh');
  const program = await which('true');
  if (shell === undefined || program === undefined)
    return { missing: 'there is no program `true` to try a sandbox with' };
  const { reads = [], never = [], home = userInfo().homedir } = options;
  const folder = options.scratch ?? join(tmpdir(), 'switchyard-walls-');
  const filter = seccompFilter(process.arch);
  const host: WallsHost = {
    bwrap,
    shell,
    reads,
    bounds: {
      home,
      never,
    },
    found: new FoundParts(),
    bridge: undefined,
    system: await systemFiles(),
    resolver: await resolverFiles(),
    proc: await machineProc(),
    files: new KeptWallFiles(folder, { filter }),
    hasFilter: filter !== undefined,
  };
  const failed = await whyFails(trialOf(host, SHUT), { argv: [program], cwd: '/', env: {} });
  if (failed !== undefined) return { missing: `bubblewrap does not work here (${failed})` };
  return wallsOn(await withBridge(host, { which, program }), options);
}

const SHUT: Enclosure = { ...BARE_ENCLOSURE, network: { kind: 'none' } };

function wallsOn(host: WallsHost, { level, resources }: BubblewrapOptions): Walls {
  const description = describe({
    level,
    hasFilter: host.hasFilter,
    architecture: process.arch,
    enforces: resources?.enforces ?? [],
    bridge: host.bridge?.mechanism,
  });
  return {
    ...description,
    boundsNetwork: true,
    holds: propertiesHeld(host.hasFilter),
    enforces: [...(resources?.enforces ?? []), 'openFiles'],
    enclose: (enclosure) => bubblewrapSandbox({ host, description, enclosure, resources }),
    namespaceOf: (_launcher, report) => namespaceOf(report),
  };
}

/** With the first bridge that works here. */
async function withBridge(host: WallsHost, { which, program }: { which: Which; program: string }): Promise<WallsHost> {
  // Nobody need listen there: what is tried is whether a program gets ports at all.
  const network = { kind: 'bridged', bridges: [{ port: 4_000, socket: '/dev/null' }] } as const;
  for (const bridge of await bridgePrograms(which)) {
    const bridged = { ...host, bridge };
    const trial = { argv: [program] as const, cwd: '/', env: {} };
    if ((await whyFails(trialOf(bridged, { ...SHUT, network }), trial)) === undefined) return bridged;
  }
  return host;
}

function trialOf(host: WallsHost, enclosure: Enclosure): Sandbox {
  const description = {
    level: 'bubblewrap',
    mechanism: 'bubblewrap',
    summary: '',
    guarantees: [],
    warnings: [],
  } as const;
  return bubblewrapSandbox({ host, description, enclosure, resources: undefined });
}

async function whyFails(sandbox: Sandbox, program: SandboxProgram): Promise<string | undefined> {
  try {
    await using trial = await sandbox.spawn(program);
    trial.stdout.resume();
    const errors = keepTail(trial.stderr);
    const { code } = await trial.exited;
    return code === 0 ? undefined : errors.text().trim() || 'it ended without a word';
  } catch (error) {
    return messageOf(error);
  }
}
