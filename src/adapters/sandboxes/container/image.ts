import { messageOf } from '../../../lib/error.ts';
import { ask, type Engine } from './engine.ts';

/** An image that the engine has. */
export interface Image {
  /** What it is known by as long as it is there, whatever is named like it later. */
  readonly id: string;
  /** What it sets for all programs in it. */
  readonly variables: Readonly<Record<string, string>>;
}

/** The image of that name or id; undefined where the engine has none. Rejects where the engine does not answer. */
export async function findImage(engine: Engine, name: string): Promise<Image | undefined> {
  const format = '{{.Id}}\n{{json .Config.Env}}';
  const { code, stdout, stderr } = await ask(engine, ['image', 'inspect', '--format', format, name]);
  if (code !== 0) {
    if (/no such image|not known|no such object/i.test(stderr)) return undefined;
    throw new Error(stderr);
  }
  const [id = '', written = 'null'] = stdout.split('\n');
  return { id: id.replace(/^(?:sha256:)?/, 'sha256:'), variables: variablesOf(written) };
}

/** Why programs cannot run in the image, as half a sentence; the image where they can. */
export async function usableImage(
  engine: Engine,
  { name, shown = name }: { name: string; shown?: string | undefined },
): Promise<Image | { readonly missing: string }> {
  try {
    const image = await findImage(engine, name);
    if (image !== undefined) return image;
    return {
      missing: `${engine.kind} has no image ${shown}; get it with \`${engine.kind} pull ${shown}\`, or build it`,
    };
  } catch (error) {
    return { missing: `${engine.kind} does not answer (${messageOf(error)})` };
  }
}

function variablesOf(json: string): Record<string, string> {
  const written: unknown = JSON.parse(json);
  if (!Array.isArray(written)) return {};
  const pairs = written.flatMap((line: unknown): [string, string][] => {
    const [, name, value] = /^([A-Za-z_]\w*)=(.*)$/s.exec(String(line)) ?? [];
    return name === undefined || value === undefined || NOT_ITS.has(name) ? [] : [[name, value]];
  });
  return Object.fromEntries(pairs);
}

/** What says where programs are, not what is in the image. */
const NOT_ITS: ReadonlySet<string> = new Set(['HOME', 'HOSTNAME', 'TERM', 'container', 'PWD']);

/**
 * A program's variables over those of the image that it runs in. Programs are looked for in the image's own folders first: a PATH of this
 * machine does not know where the image keeps its tools.
 */
export function overImage(
  variables: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>>,
): Record<string, string> {
  const { PATH: own } = variables;
  const { PATH: asked } = env;
  return { ...variables, ...env, ...(own === undefined || asked === undefined ? {} : { PATH: `${own}:${asked}` }) };
}
