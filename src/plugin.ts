/**
 * The public door for plugins, `switchyard/plugin`: the ports with what their signatures speak of, and `definePlugin`. The built-in node
 * kinds and adapters are made of exactly this.
 */

import { SwitchyardError } from './lib/error.ts';
import type { AgentAdapter } from './ports/agent.ts';
import type { Forge } from './ports/forge.ts';
import type { NodeKind } from './ports/node.ts';
import type { Sandbox } from './ports/sandbox.ts';
import type { WorkspaceProvider } from './ports/workspace.ts';

export type { Actor } from './domain/actor.ts';
export type { AgentEntry } from './domain/agent-entry.ts';
export type { Blueprint, BlueprintNode } from './domain/blueprint.ts';
export type { EventPayload } from './domain/event.ts';
export type { CheckEvidence, CheckItem, ExposedLogin } from './domain/evidence.ts';
export type { NodeFields, NodeKindDescriptor, NodeReferences } from './domain/node-kind.ts';
export { defineNodeKind } from './domain/node-kind.ts';
export type { Needs, Usage } from './domain/run.ts';
export type { SandboxLevel } from './domain/sandbox.ts';
export type { Task } from './domain/task.ts';
export type { Clock } from './lib/clock.ts';
export type { CrashPoint, CrashPointName, Effect } from './lib/crash-point.ts';
export { between } from './lib/crash-point.ts';
export { SwitchyardError } from './lib/error.ts';
export type * from './ports/agent.ts';
export { programEnv } from './ports/agent-env.ts';
export { agentEventLines, endedWithoutWord } from './ports/agent-event-lines.ts';
export type * from './ports/forge.ts';
export type * from './ports/node.ts';
export { StepAborted } from './ports/node.ts';
export type * from './ports/sandbox.ts';
export type * from './ports/workspace.ts';

/** What a plugin adds. Each thing has a name of its own among its like: the word that configuration and blueprints use for it. */
export interface Plugin {
  /** Small letters, digits and hyphens. */
  readonly name: string;
  readonly nodeKinds?: readonly NodeKind[];
  readonly agents?: readonly AgentAdapter[];
  readonly sandboxes?: readonly Sandbox[];
  readonly workspaceProviders?: readonly WorkspaceProvider[];
  readonly forges?: readonly ForgeKind[];
}

/** How a forge comes to be: a `Forge` belongs to one repository. */
export interface ForgeKind {
  readonly kind: string;
  /** `repository` is any path in the person's repository, `mirror` the git store that has the objects. */
  open(place: { readonly repository: string; readonly mirror: string }): Forge;
}

/** The plugin as it was given, checked. Throws `plugin/invalid` for a name that is none and for two things of one name. */
export function definePlugin<const Given extends Plugin>(plugin: Given): Given {
  if (!/^[a-z][a-z0-9-]*$/.test(plugin.name)) {
    throw invalid(
      `${JSON.stringify(plugin.name)} cannot be the name of a plugin`,
      'Use small letters, digits and hyphens.',
    );
  }
  for (const [what, names] of Object.entries(namesIn(plugin))) {
    const twice = names.find((name, index) => names.indexOf(name) < index);
    if (twice !== undefined)
      throw invalid(`the plugin ${plugin.name} has two ${what} named ${JSON.stringify(twice)}`, 'Rename one of them.');
  }
  return plugin;
}

function namesIn(plugin: Plugin): Record<string, string[]> {
  const { nodeKinds = [], agents = [], sandboxes = [], workspaceProviders = [], forges = [] } = plugin;
  return {
    'kinds of node': nodeKinds.map(({ descriptor }) => descriptor.kind),
    agents: agents.map(({ kind }) => kind),
    sandboxes: sandboxes.map(({ level, mechanism }) => `${level} (${mechanism})`),
    'workspace providers': workspaceProviders.map(({ kind }) => kind),
    forges: forges.map(({ kind }) => kind),
  };
}

function invalid(message: string, hint: string): SwitchyardError {
  return new SwitchyardError({ code: 'plugin/invalid', message, hint });
}
