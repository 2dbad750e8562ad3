import { posix } from 'node:path';
import { parseJsonc } from '../../lib/jsonc.ts';
import { shellWord } from '../../lib/shell-word.ts';
import { DevcontainerFile, IGNORED, REFUSED, type WrittenCommand } from './file-schema.ts';

/** What a container for a repository's workspaces is made of. Paths are relative to the repository. */
export interface ContainerRecipe {
  readonly base:
    | { readonly kind: 'image'; readonly image: string }
    | {
        readonly kind: 'build';
        readonly dockerfile: string;
        /** The folder that is sent to the build; `.` is the repository. */
        readonly context: string;
        readonly args: Readonly<Record<string, string>>;
        readonly target?: string;
      };
  /** For all programs within. */
  readonly env: Readonly<Record<string, string>>;
  /** Whose programs run within; undefined: the image's own. */
  readonly user?: string;
  /** A line for `sh -c`, in the checkout, where the repository declares no setup of its own. */
  readonly setup?: string;
  /** Ports that its programs listen on. */
  readonly ports: readonly number[];
  /** What of the file is not in force, one sentence each. */
  readonly notes: readonly string[];
}

export type ReadRecipe =
  | { readonly kind: 'recipe'; readonly recipe: ContainerRecipe }
  /** Nothing can be made of the file; one sentence for each reason. */
  | { readonly kind: 'refused'; readonly problems: readonly string[] };

/** Reads the text of a `devcontainer.json`; `file` is its path in the repository, `workspace` where programs find the checkout. */
export function readRecipe(text: string, { file, workspace }: { file: string; workspace: string }): ReadRecipe {
  const parsed = parseJsonc(text);
  if (!parsed.ok) return refused(`${file}${parsed.line === undefined ? '' : `:${parsed.line}`}: ${parsed.message}`);
  const checked = DevcontainerFile.safeParse(parsed.value);
  if (!checked.success)
    return refused(
      ...checked.error.issues.map(({ path, message }) => `${file}: ${path.join('.') || 'the file'}: ${message}`),
    );
  const { data } = checked;
  if (data['dockerComposeFile'] !== undefined)
    return refused(
      `${file}: dockerComposeFile is not supported; declare the other containers as services in .switchyard/config.yaml.`,
    );
  const base = baseOf(data, file);
  if ('problem' in base) return refused(`${file}: ${base.problem}`);
  const notes = notesOf(data, file);
  const env = variables(data, { file, workspace, notes });
  const setup = setupOf(data);
  const user = data.remoteUser ?? data.containerUser;
  const ports = (data.forwardPorts ?? []).filter((port) => typeof port === 'number');
  return {
    kind: 'recipe',
    recipe: {
      base,
      env,
      ...(user === undefined ? {} : { user }),
      ...(setup === undefined ? {} : { setup }),
      ports,
      notes,
    },
  };
}

function refused(...problems: string[]): ReadRecipe {
  return { kind: 'refused', problems };
}

function baseOf(data: DevcontainerFile, file: string): ContainerRecipe['base'] | { readonly problem: string } {
  const written = data.build?.dockerfile ?? data.dockerFile;
  if (written === undefined) {
    if (data.image !== undefined) return { kind: 'image', image: data.image };
    return { problem: 'it names neither an image nor a build.dockerfile.' };
  }
  const dockerfile = within(file, written);
  const context = within(file, data.build?.context ?? data.context ?? '.');
  if (dockerfile === undefined) return { problem: `build.dockerfile ${written} leads out of the repository.` };
  if (context === undefined) return { problem: 'build.context leads out of the repository.' };
  const args = data.build?.args ?? {};
  const foreign = Object.keys(args).find((name) => /\$\{/.test(args[name] ?? ''));
  if (foreign !== undefined)
    return { problem: `build.args.${foreign} holds a variable, which is not filled in for builds.` };
  const { target } = data.build ?? {};
  return { kind: 'build', dockerfile, context, args, ...(target === undefined ? {} : { target }) };
}

/** A path that is written relative to the file's folder, as one of the repository; undefined where it leads out. */
function within(file: string, path: string): string | undefined {
  if (path.startsWith('/') || /[\p{Cc}\\]/u.test(path)) return undefined;
  const inner = posix.normalize(posix.join(posix.dirname(file), path)).replace(/\/+$/, '');
  return inner === '..' || inner.startsWith('../') ? undefined : inner;
}

function notesOf(data: DevcontainerFile, file: string): string[] {
  const notes: string[] = [];
  for (const key of Object.keys(data)) {
    const why = REFUSED[key];
    if (why !== undefined && isAsked(data[key])) notes.push(`${file}: ${key} is not in force: ${why}.`);
    else if (why === undefined && !IGNORED.has(key) && !(key in DevcontainerFile.shape))
      notes.push(`${file}: ${key} is not in force: this version does not know it.`);
  }
  const features = Object.keys(data.features ?? {}).filter((feature) => !isIdle(feature));
  if (features.length > 0)
    notes.push(
      `${file}: features are not in force (${features.join(', ')}): put what they install into the image or its Dockerfile.`,
    );
  for (const key of Object.keys(data.build ?? {}).filter((name) => !BUILD.has(name)))
    notes.push(`${file}: build.${key} is not in force: options of the build are for the machine to say.`);
  if ((data.forwardPorts ?? []).some((port) => typeof port === 'string'))
    notes.push(`${file}: forwardPorts to other hosts are not in force: there are none.`);
  return notes;
}

const BUILD = new Set(['dockerfile', 'context', 'args', 'target']);

function isAsked(value: unknown): boolean {
  return !(value === false || value === null || (Array.isArray(value) && value.length === 0));
}

/** Features that bring what every usable image has, or what walls do anyway. */
function isIdle(feature: string): boolean {
  return /\/features\/(?:common-utils|git)(?::|@|$)/.test(feature);
}

interface Filling {
  readonly file: string;
  readonly workspace: string;
  readonly notes: string[];
}

/** What names the machine's own environment or folders is left out: it would bring secrets in, or nothing. */
function variables(data: DevcontainerFile, { file, workspace, notes }: Filling): Record<string, string> {
  const env: Record<string, string> = {};
  const written = Object.entries({ ...data.containerEnv, ...data.remoteEnv });
  for (const [name, value] of written) {
    if (value === null) continue;
    const filled = value
      .replaceAll('${containerWorkspaceFolder}', () => workspace)
      .replaceAll('${containerWorkspaceFolderBasename}', () => posix.basename(workspace));
    const left = /\$\{[^}]*\}/.exec(filled)?.[0];
    if (left === undefined) env[name] = filled;
    else notes.push(`${file}: ${name} is not set: ${left} is not known to runs.`);
  }
  return env;
}

/** The commands that make a new container ready, in the order in which they are meant to run. */
function setupOf(data: DevcontainerFile): string | undefined {
  const commands = [data.onCreateCommand, data.updateContentCommand, data.postCreateCommand].flatMap((written) =>
    written === undefined ? [] : linesOf(written),
  );
  return commands.length === 0 ? undefined : commands.map((line) => `(\n${line}\n) || exit`).join('\n');
}

function linesOf(written: WrittenCommand): string[] {
  if (typeof written === 'string') return written.trim() === '' ? [] : [written];
  if (Array.isArray(written)) return [written.map((word) => shellWord(word)).join(' ')];
  return Object.values(written).flatMap((one) => linesOf(one));
}
