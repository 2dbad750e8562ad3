import type { ResourceName, WallProperty } from '../../../domain/sandbox.ts';
import { listed } from '../../../lib/listed.ts';
import type { SandboxDescription } from '../../../ports/sandbox.ts';

export interface Promised {
  readonly level: 'bubblewrap' | 'domains';
  readonly hasFilter: boolean;
  readonly architecture: string;
  readonly enforces: readonly ResourceName[];
  readonly bridge: 'perl' | 'node' | undefined;
}

/** What holds at this level on this host, one sentence each, and what does not. */
export function describe(promised: Promised): SandboxDescription {
  const { level, enforces, hasFilter } = promised;
  const held = enforces.length === 0 ? '' : ` ${listed(enforces)} can be limited.`;
  return {
    level,
    mechanism: 'bubblewrap',
    summary: `an agent sees its workspace, a HOME of its own and the system's programs, no other file and no secret of yours. ${NETWORK[level]}${held}`,
    guarantees: [
      'Files: programs see the system’s programs and libraries, the toolchains on their PATH, and what belongs to their workspace; of these they can change only the workspace, their HOME and /tmp.',
      'Environment: programs get the variables that are meant for them, and find no others in any process that they see.',
      `Network: ${level === 'domains' ? 'programs of a run reach the model, the package registries and the hosts that the run names' : 'programs of a run reach the model and the package registries'}, as far as its policy allows, through sockets of the harness; they have no other way out, and the host’s own ports are not theirs.`,
      'Processes: everything that a program starts ends with it and with Switchyard, and neither sees nor signals what is outside.',
      'Privileges: programs have no capability and cannot get one, can make no namespace and no mount, and cannot write the machine’s settings below /proc.',
      ...(hasFilter
        ? [
            'Kernel: calls for keyrings, bpf, tracing of the machine, io_uring, modules, mounts, clocks and rare socket families are refused, also in 32-bit programs.',
            'Terminal: a program cannot type into the terminal that it was started from.',
          ]
        : []),
      'Secrets: keys and logins of your HOME are not there, but for what an agent’s own login was set up to need.',
      ...(enforces.length === 0
        ? []
        : [`Limits: ${listed(enforces)} of all processes of a program together are held to what the run says.`]),
      'Open files: each program is held to a number of them, which it cannot raise.',
    ],
    warnings: warnings(promised),
  };
}

export function propertiesHeld(hasFilter: boolean): readonly WallProperty[] {
  return [
    ...(['ends', 'processes', 'files', 'secrets', 'siblings', 'network', 'samePath'] as const),
    ...(hasFilter ? (['kernel'] as const) : []),
  ];
}

const NETWORK = {
  bubblewrap: 'It reaches the model and package registries as its run allows.',
  domains: 'It reaches the model, package registries and the hosts that its run names.',
} as const;

function warnings({ hasFilter, architecture, enforces, bridge }: Promised): string[] {
  const missing = (['memory', 'cpus', 'processes'] as const).filter((name) => !enforces.includes(name));
  return [
    'The kernel is the host’s: a flaw in it is a way out of these walls.',
    'Within one workspace nothing is hidden: what a program of a run can read, its other programs can read too.',
    ...(hasFilter
      ? []
      : [
          `There is no filter over the kernel’s calls on ${architecture}: more of the kernel is within reach of programs, the terminal that they were started from too.`,
        ]),
    ...(missing.length === 0 ? [] : [`Nothing holds programs to limits of ${listed(missing)}.`]),
    ...(enforces.length === 0
      ? []
      : ['What a person starts in a terminal is held to no limit but that of open files.']),
    ...(bridge === 'node'
      ? ['Without Perl, variables whose names are not words of letters, digits and underscores may not reach programs.']
      : []),
    ...(bridge === undefined ? ['Neither Perl nor a shell is here: no port can lead out of the walls.'] : []),
  ];
}
