import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { drawBlueprint } from '../blueprint/draw.ts';
import { type BlueprintSource, type LoadContext, loadBlueprint } from '../blueprint/load.ts';
import type { Problem } from '../blueprint/problem.ts';
import { promptProblems } from '../context/prompt.ts';
import type { Blueprint } from '../domain/blueprint.ts';
import type { NodeKindDescriptor } from '../domain/node-kind.ts';
import { SwitchyardError } from '../lib/error.ts';
import { invalid, readInForce } from './in-force.ts';
import type { OperationContext } from './operations.ts';
import { resolveBase, usableRepository } from './repository.ts';

const NAME = /^[a-z][a-z0-9-]*$/;

/** The blueprints that a run may name: the repository's own, then the shipped ones. */
export interface BlueprintShelf {
  read(name: string): BlueprintSource | undefined;
  readPrompt(name: string): string | undefined;
  names(): readonly { readonly name: string; readonly source: 'repository' | 'shipped' }[];
}

/** `files` are those of a repository's `.switchyard/`; none outside a repository. */
export async function openShelf(
  context: OperationContext,
  files: ReadonlyMap<string, string>,
): Promise<BlueprintShelf> {
  const shipped = await readShipped(context.blueprints);
  const own = [...files.keys()].flatMap((path) => /^blueprints\/([^/]+)\.yaml$/.exec(path)?.[1] ?? []);
  return {
    read(name) {
      if (!NAME.test(name)) return undefined;
      const text = files.get(`blueprints/${name}.yaml`);
      if (text !== undefined) return { file: `.switchyard/blueprints/${name}.yaml`, text };
      const standard = shipped.blueprints.get(name);
      return standard === undefined ? undefined : { file: `${name}.yaml (shipped)`, text: standard };
    },
    readPrompt: (name) => files.get(`blueprints/prompts/${name}`) ?? shipped.prompts.get(name),
    names: () => [
      ...own.map((name) => ({ name, source: 'repository' as const })),
      ...[...shipped.blueprints.keys()]
        .filter((name) => !own.includes(name))
        .map((name) => ({ name, source: 'shipped' as const })),
    ],
  };
}

/** Loads a blueprint by name, with everything that it names. Refuses with `blueprint/not-found` or `blueprint/invalid`. */
export function loadFromShelf(
  context: OperationContext,
  shelf: BlueprintShelf,
  name: string,
  known: Pick<LoadContext, 'agents' | 'checks'>,
): { blueprint: Blueprint; notes: readonly string[] } {
  const source = shelf.read(name);
  if (source === undefined) throw notFound(name, shelf);
  const result = loadBlueprint(source, loadContext(context, shelf, known));
  const problems = result.ok ? problemsOfPrompts(result.blueprint) : result.problems;
  if (!result.ok || problems.length > 0) throw invalid(problems, 'blueprint/invalid');
  return { blueprint: result.blueprint, notes: result.notes };
}

/** What the prompt files ask for that their nodes do not give. */
function problemsOfPrompts(blueprint: Blueprint): Problem[] {
  const own = Object.values(blueprint.nodes).flatMap((node) => {
    const file = node.fields['prompt'];
    const text = typeof file === 'string' ? blueprint.prompts[file] : undefined;
    return text === undefined ? [] : promptProblems({ file: `prompts/${String(file)}`, text }, Object.keys(node.with));
  });
  return [...own, ...Object.values(blueprint.blueprints).flatMap(problemsOfPrompts)];
}

export async function listBlueprints(context: OperationContext, repository: string | undefined) {
  const shelf = await shelfOf(context, repository);
  return shelf.names().map(({ name, source }) => ({ name, source, summary: summaryOf(shelf.read(name)?.text ?? '') }));
}

export async function showBlueprint(context: OperationContext, name: string, repository: string | undefined) {
  const shelf = await shelfOf(context, repository);
  const source = shelf.read(name);
  if (source === undefined) throw notFound(name, shelf);
  const { blueprint } = loadFromShelf(context, shelf, name, {});
  return {
    schema: 1 as const,
    name,
    file: source.file,
    text: source.text,
    drawing: drawBlueprint(blueprint, descriptors(context)),
  };
}

/** Checks a blueprint file, without a run. */
export async function checkBlueprint(context: OperationContext, file: string, repository: string | undefined) {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new SwitchyardError({
      code: 'request/invalid',
      message: `${file} cannot be read.`,
      hint: 'Give the path of a YAML file; `switchyard blueprint ls` lists those that are known by name.',
      cause,
    });
  });
  const shelf = await shelfOf(context, repository);
  const result = loadBlueprint({ file: basename(file), text }, loadContext(context, shelf, {}));
  const problems = result.ok ? problemsOfPrompts(result.blueprint) : [...result.problems];
  return { schema: 1 as const, ok: problems.length === 0, problems, notes: result.ok ? result.notes : [] };
}

async function shelfOf(context: OperationContext, repository: string | undefined): Promise<BlueprintShelf> {
  if (repository === undefined) return openShelf(context, new Map());
  const usable = await usableRepository(context, repository).catch(() => undefined);
  if (usable === undefined) return openShelf(context, new Map());
  const base = await resolveBase(usable, undefined);
  const { folder } = await readInForce(usable.store, base.commit, usable.found.toplevel);
  return openShelf(context, folder.files);
}

function loadContext(
  context: OperationContext,
  shelf: BlueprintShelf,
  known: Pick<LoadContext, 'agents' | 'checks'>,
): LoadContext {
  return {
    kinds: descriptors(context),
    readPrompt: (name) => shelf.readPrompt(name),
    readBlueprint: (name) => shelf.read(name),
    ...known,
  };
}

function descriptors(context: OperationContext): ReadonlyMap<string, NodeKindDescriptor> {
  return new Map([...context.engine.kinds].map(([kind, node]) => [kind, node.descriptor]));
}

async function readShipped(folder: string): Promise<{ blueprints: Map<string, string>; prompts: Map<string, string> }> {
  const texts = async (inside: string, ending: string) => {
    const names = (await readdir(inside)).filter((name) => name.endsWith(ending)).sort();
    return Promise.all(names.map(async (name) => [name, await readFile(join(inside, name), 'utf8')] as const));
  };
  const blueprints = (await texts(folder, '.yaml')).map(
    ([name, text]) => [name.slice(0, -'.yaml'.length), text] as const,
  );
  return { blueprints: new Map(blueprints), prompts: new Map(await texts(join(folder, 'prompts'), '.md')) };
}

function summaryOf(text: string): string {
  return /^summary:\s*(.+)$/m.exec(text)?.[1]?.trim() ?? '';
}

function notFound(name: string, shelf: BlueprintShelf): SwitchyardError {
  return new SwitchyardError({
    code: 'blueprint/not-found',
    message: `There is no blueprint ${JSON.stringify(name)}.`,
    hint: `There are: ${shelf
      .names()
      .map((one) => one.name)
      .join(', ')}.`,
  });
}
