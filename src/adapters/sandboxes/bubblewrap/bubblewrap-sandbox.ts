import { initInReport } from '../../../ports/sandbox/bubblewrap-report.ts';
import { identifyInit, namespaceName } from '../../../ports/sandbox/namespace-name.ts';
import type { ResourceControl, ResourceGroup } from '../../../ports/sandbox/resources.ts';
import { startWalled } from '../../../ports/sandbox/start-walled.ts';
import type {
  Enclosure,
  Sandbox,
  SandboxDescription,
  SandboxedProcess,
  SandboxProgram,
} from '../../../ports/sandbox.ts';
import type { WallsHost } from './host.ts';
import { type Plan, Planner } from './plan.ts';
import { terminalLaunch } from './terminal.ts';
import { View } from './view.ts';

export interface SandboxParts {
  readonly host: WallsHost;
  readonly description: SandboxDescription;
  readonly enclosure: Enclosure;
  readonly resources: ResourceControl | undefined;
}

/** The walls of one enclosure. */
export function bubblewrapSandbox({ host, description, enclosure, resources }: SandboxParts): Sandbox {
  const view = new View(enclosure.mounts);
  const planner = new Planner(host, { enclosure, view });
  return {
    ...description,
    inside: (path) => view.inside(path),
    async spawn(program) {
      const plan = await planner.plan(program);
      const group = isLimited(enclosure) ? await resources?.start(enclosure.limits) : undefined;
      return spawnPlanned(plan, { program, group });
    },
    terminal: {
      launch: async (program) => terminalLaunch(host.shell, await planner.plan(program)),
      namespaceOf: (_launcher, report) => namespaceOf(report),
    },
  };
}

/** The name of the walls whose launcher wrote that report. */
export function namespaceOf(report: string): string {
  return namespaceName(identifyInit(initInReport(report)));
}

function spawnPlanned(
  plan: Plan,
  { program: { input }, group }: { program: SandboxProgram; group: ResourceGroup | undefined },
): Promise<SandboxedProcess> {
  const [file, ...args] = plan.argv({ isHeld: group?.needsAdmission === true });
  const files = [
    { content: plan.arguments, folder: plan.files.folder },
    ...(plan.filter === undefined ? [] : [{ path: plan.filter }]),
  ];
  return startWalled({
    // bubblewrap itself gets no variable of the program's, which might be meant for its loader.
    launcher: {
      file,
      args,
      cwd: '/',
      env: {},
      files,
      openFiles: plan.openFiles,
      ...(input === undefined ? {} : { input }),
    },
    name: plan.name,
    initOf: (_launcher, report) => initInReport(report),
    group,
  });
}

/** Whether a group has to hold them to anything: open files are each program's own. */
function isLimited({ limits }: Enclosure): boolean {
  return Object.entries(limits).some(([name, limit]) => name !== 'openFiles' && limit !== undefined);
}
