import { z } from 'zod';

const Command = z.union(
  [z.string(), z.array(z.string()).min(1), z.record(z.string(), z.union([z.string(), z.array(z.string()).min(1)]))],
  {
    error: 'write a command, a list of words, or commands by name',
  },
);
export type WrittenCommand = z.output<typeof Command>;

const Env = z.record(
  z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'a variable is named with letters, digits and underscores'),
  z.string('write the value of a variable as text'),
);

const Reference = z
  .string()
  .regex(/^[A-Za-z0-9][\w.:/@-]*$/, 'an image is named as registry/name:tag or registry/name@sha256:…');

const User = z.string().regex(/^[A-Za-z0-9_][\w.-]*$/, 'a user is one name or number');

const Build = z.looseObject({
  dockerfile: z.string().min(1).optional(),
  context: z.string().min(1).optional(),
  args: z.record(z.string(), z.string()).optional(),
  target: z
    .string()
    .regex(/^[A-Za-z0-9][\w.-]*$/, 'a target is one word')
    .optional(),
});

/** What of a `devcontainer.json` is looked at; its other keys are told apart by name. */
export const DevcontainerFile = z.looseObject({
  image: Reference.optional(),
  build: Build.optional(),
  /** Older forms of the same. */
  dockerFile: z.string().min(1).optional(),
  context: z.string().min(1).optional(),
  containerEnv: Env.optional(),
  remoteEnv: z.record(z.string(), z.string().nullable()).optional(),
  containerUser: User.optional(),
  remoteUser: User.optional(),
  onCreateCommand: Command.optional(),
  updateContentCommand: Command.optional(),
  postCreateCommand: Command.optional(),
  forwardPorts: z.array(z.union([z.int().min(1).max(65_535), z.string()])).optional(),
  features: z.record(z.string(), z.unknown()).optional(),
});
export type DevcontainerFile = z.output<typeof DevcontainerFile>;

/** Keys that mean nothing to a run: how editors look, what they do, and what walls do anyway. */
export const IGNORED: ReadonlySet<string> = new Set([
  '$schema',
  'name',
  'customizations',
  'extensions',
  'settings',
  'portsAttributes',
  'otherPortsAttributes',
  'appPort',
  'init',
  'overrideCommand',
  'shutdownAction',
  'updateRemoteUserUID',
  'userEnvProbe',
  'waitFor',
  'workspaceFolder',
  'postAttachCommand',
  'hostRequirements',
  'secrets',
]);

/** Keys that are not in force, and why: one sentence each. */
export const REFUSED: Readonly<Record<string, string>> = {
  initializeCommand: 'nothing of a repository is run on the machine itself',
  mounts: 'workspaces see no other folders of the machine',
  workspaceMount: 'where a workspace lies is for the sandbox to say',
  runArgs: 'options of the container engine could open the walls',
  privileged: 'a privileged container has no walls',
  capAdd: 'capabilities could open the walls',
  securityOpt: 'security options could open the walls',
  postStartCommand: 'what has to run beside agents and checks is declared under `services`',
};
