import { mkdirSync } from 'node:fs';
import { lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import { between } from '../lib/crash-point.ts';
import { messageOf } from '../lib/error.ts';
import type { WorkspaceProvider } from '../ports/workspace.ts';
import { AgentSide } from './agent-side.ts';
import { BaseGone, type Bases } from './bases/bases.ts';
import type { Base } from './bases/records.ts';
import { CheckoutWorkspace } from './checkout-workspace.ts';
import { type Checkpoint, readCheckpoint, restoreParts, standsOn } from './checkpoints.ts';
import { copyFiles } from './copy-files.ts';
import { type Dependencies, type FoundDependencies, used } from './dependencies.ts';
import { adoptEarlier } from './earlier-workspace.ts';
import { dropDrafts, formatOf, writeHarnessGit } from './git-folders.ts';
import type { GitStore } from './git-store.ts';
import { CHECKOUT_MS, isWorthAnother, layFiles, resumeFiles, takeUp } from './lay-files.ts';
import { leftHead } from './left-head.ts';
import { excludeLitter } from './litter.ts';
import { indexStamp, type Marker, readMarker, writeMarker } from './marker.ts';
import type { Pool } from './pool.ts';
import { runSetup } from './setup.ts';
import { makeShownObjects } from './shown-objects.ts';
import type { Head, Site } from './site.ts';
import { layWorkspaceSubmodules } from './submodules/workspace-submodules.ts';
import { headOf } from './take-commits.ts';
import { TreeGit } from './tree-git.ts';
import type { Opened, OpenRequest } from './workspaces.ts';

/** What workspaces are made with. */
export interface Tools {
  readonly provider: WorkspaceProvider;
  readonly clock: Clock;
  /** `$SWITCHYARD_HOME/bases`. */
  readonly basesFolder: string;
  /** Undefined where every workspace has its files written one by one. */
  readonly bases: Bases | undefined;
  readonly dependencies: Dependencies | undefined;
  readonly pool: Pool | undefined;
  /** Has the pool filled for a commit of a person's. */
  fillPool(site: Site, base: Head, dependencies: Base<'dependencies'> | undefined): void;
  /** Told of a workspace that was laid over another commit than its own. */
  onBehind(site: Site, base: Head): void;
}

/** The workspace that is there, brought to where the run stands; undefined when it is not whole. */
export async function reopen(site: Site, request: OpenRequest, tools: Tools): Promise<Opened | undefined> {
  const { layout, store } = site;
  const found = await readMarker(layout.marker);
  if (found === undefined || found.slug !== request.slug) return undefined;
  const { laid } = found;
  const bases = join(tools.basesFolder, store.id);
  if (laid !== undefined && !(await resumeFiles(layout, { laid, provider: tools.provider, bases }))) return undefined;
  if (!(await isFolder(layout.tree))) return undefined;
  await Promise.all([dropLocks(layout.git), dropDrafts(layout.tree)]);
  makeShownObjects(layout.objects);
  const { marker, isLeft } = found.shows === 'own' ? { marker: found, isLeft: false } : await adoptEarlier(site, found);
  const index = await knownIndex(site, marker);
  const head = marker.head.commit === request.head ? marker.head : await headOf(store.path, request.head);
  // The attempt before may have died between its collecting and its end: then its work is still to be collected, from the same head.
  const again = marker.collected?.step === request.step && marker.collected.from === request.head;
  const hasCheckpoint = request.checkpoint === undefined || marker.checkpoints.includes(request.checkpoint);
  if (hasCheckpoint && (again || marker.head.commit === request.head)) {
    const workspace = new CheckoutWorkspace(site, { head, marker, index });
    return { workspace, fresh: false, notes: await workspace.mendAgentGit({ anyway: isLeft }) };
  }
  const checkpoint =
    request.checkpoint === undefined ? undefined : await readCheckpoint(store.path, request.checkpoint);
  const workspace = new CheckoutWorkspace(site, { head: marker.head, marker, index });
  return { workspace, fresh: false, notes: await workspace.bring(head, checkpoint) };
}

/** A new workspace; nothing is there. Dying in the middle leaves one without a marker, which is not whole. */
export async function create(site: Site, request: OpenRequest, tools: Tools): Promise<Opened> {
  const { layout, store, crashPoint } = site;
  const { signal, setup, copy } = request;
  const [head, checkpoint, sessions, kept] = await Promise.all([
    knownHead(store, request.head, tools),
    request.checkpoint === undefined ? undefined : readCheckpoint(store.path, request.checkpoint),
    request.kept === undefined ? undefined : readCheckpoint(store.path, request.kept),
    leftHead(store, site.run),
  ]);
  const notes: string[] = [];
  const agent = new AgentSide(site);
  const tree = new TreeGit(site, UNKNOWN_INDEX);
  const stands = checkpoint !== undefined && (await standsOn(store.path, checkpoint, head.commit));
  const treeish = stands ? checkpoint.tree : head.tree;
  const files = await chooseFiles(site, { request, head, treeish, tools });
  const made = await between(crashPoint, 'workspace', async () => {
    const { notes: laying, ...made } = await makeFiles(site, { head, files, tools, signal });
    notes.push(...laying);
    notes.push(...(await layFirstSubmodules(site, { head, signal })));
    if (stands) notes.push(...(await restoreTree(tree, { checkpoint, head })));
    if (copy.globs.length > 0) notes.push(...(await copyFiles(copy.from, layout.tree, copy.globs)));
    await agent.replace(head, treeish);
    return made;
  });
  files.refill();
  signal.throwIfAborted();
  const runs = setup !== undefined && !made.hasDependencies;
  if (runs) await between(crashPoint, 'setup', () => runSetup(setup, { ...site, tree: layout.tree, signal }));
  const litters = runs || copy.globs.length > 0;
  if (litters) notes.push(...(await excludeLitter(site)));
  const parts = checkpoint ?? sessions;
  if (parts !== undefined) notes.push(...(await restoreParts(site, parts)));
  if (litters) await agent.replace(head, treeish);
  const index = { tree: head.tree, stamp: await indexStamp(layout.git), settled: made.settled && !litters };
  const marker: Marker = {
    version: 1,
    slug: request.slug,
    head,
    index: checkpoint === undefined ? index : null,
    kept: kept ?? null,
    collected: null,
    checkpoints: checkpoint === undefined ? [] : [checkpoint.commit],
    laid: made.laid,
    shows: 'own',
  };
  await writeMarker(layout.marker, marker);
  return {
    workspace: new CheckoutWorkspace(site, { head, marker, index: madeIndex(marker) }),
    fresh: true,
    notes,
  };
}

/** What git says of a commit; a base of it remembers that. */
async function knownHead(store: GitStore, commit: string, { bases }: Tools): Promise<Head> {
  return (await bases?.head(store, commit)) ?? headOf(store.path, commit);
}

interface Files {
  readonly source: Base<'source'> | undefined;
  readonly dependencies: Base<'dependencies'> | undefined;
  /** What a tree of the pool may have of setup instead, though laying it now does not pay. */
  readonly there: Base<'dependencies'> | undefined;
  readonly usesPool: boolean;
  /** Has the pool make up for what is taken from it, if there is one. */
  readonly refill: () => void;
  readonly notes: readonly string[];
}

/** The bases to lay the workspace over. Without any of this repository, one is made first: many who want it at once make it once. */
async function chooseFiles(
  site: Site,
  { request, head, treeish, tools }: { request: OpenRequest; head: Head; treeish: string; tools: Tools },
): Promise<Files> {
  const { bases, dependencies, provider } = tools;
  if (bases === undefined || dependencies === undefined || site.sparse !== undefined)
    return {
      source: undefined,
      dependencies: undefined,
      there: undefined,
      usesPool: false,
      refill: () => undefined,
      notes: [],
    };
  const { store } = site;
  const { setup, enclose, signal } = request;
  const base = request.base === head.commit ? head : await knownHead(store, request.base, tools);
  const lays = provider.perFileMs < CHECKOUT_MS;
  const usesPool = tools.pool?.isKept ?? false;
  const none: FoundDependencies = { base: undefined, notes: [] };
  const [source, found] = await Promise.all([
    lays
      ? ((await bases.nearestSource(store, head.commit)) ?? bases.source({ store, head: base, quiet: false, signal }))
      : undefined,
    setup === undefined
      ? none
      : dependencies.find(site, {
          treeish,
          setup,
          share: enclose === undefined ? undefined : { base, enclose },
          signal,
        }),
  ]);
  if (source !== undefined && source.commit !== head.commit) tools.onBehind(site, base);
  const refill = (): void => (usesPool ? tools.fillPool(site, base, found.base ?? found.there) : undefined);
  return { source, dependencies: found.base, there: found.there, usesPool, refill, notes: found.notes };
}

/** Lays the files; where bases turn out to be in the way, or to have gone, once more without them. */
async function makeFiles(site: Site, make: { head: Head; files: Files; tools: Tools; signal: AbortSignal }) {
  const { layout, store, sessionFiles } = site;
  const { head, files, tools, signal } = make;
  const { provider, bases, clock } = tools;
  mkdirSync(layout.root, { recursive: true, mode: 0o700 });
  mkdirSync(layout.homes, { recursive: true });
  makeShownObjects(layout.objects);
  for (const own of [layout.home, layout.tmp]) mkdirSync(own, { recursive: true, mode: 0o700 });
  for (const { agent } of sessionFiles) mkdirSync(join(layout.homes, agent), { recursive: true });
  writeHarnessGit(layout.git, store.path, formatOf(head.commit), site.sparse);
  const { source, dependencies, notes } = files;
  const drained: string[] = [];
  if (files.usesPool) {
    const taken = await takeReady(site, make);
    if (taken !== undefined) return taken;
    drained.push(DRAINED);
  }
  try {
    const laid = await layFiles(site, { head, provider, bases, clock, source, dependencies, signal });
    return { ...laid, hasDependencies: dependencies !== undefined, notes: [...drained, ...notes] };
  } catch (error) {
    await takeUp(site, provider);
    if (!isWorthAnother(error, signal) || (dependencies === undefined && !(error instanceof BaseGone))) throw error;
    const again = source === undefined ? undefined : await bases?.source({ store, head, quiet: false, signal });
    const laid = await layFiles(site, { head, provider, bases, clock, source: again, dependencies: undefined, signal });
    const why = `What setup made could not be laid (${messageOf(error).split('\n', 1)[0]}): setup ran again.`;
    return { ...laid, hasDependencies: false, notes: [...drained, ...(dependencies === undefined ? [] : [why])] };
  }
}

/** Only what was just laid is there: without the file that declares submodules, git need not be asked. */
async function layFirstSubmodules(site: Site, { head, signal }: { head: Head; signal: AbortSignal }) {
  const declared = await lstat(join(site.layout.tree, '.gitmodules')).catch(() => undefined);
  return declared === undefined ? [] : layWorkspaceSubmodules(site, { commit: head.commit, fresh: true, signal });
}

const DRAINED = 'The pool of ready workspaces was empty: this one was made on the spot.';

/** A tree that was ready, with what setup makes if that is wanted and was laid. */
async function takeReady(site: Site, make: { head: Head; files: Files; tools: Tools; signal: AbortSignal }) {
  const { head, files, tools, signal } = make;
  const wanted = files.dependencies ?? files.there;
  const take = (dependencies: string | undefined) => tools.pool?.take(site, { head, dependencies, signal });
  const whole = await take(wanted?.name);
  if (whole !== undefined && wanted !== undefined)
    return { ...whole, hasDependencies: true, notes: used(wanted).notes };
  const bare = whole ?? (files.dependencies === undefined ? await take(undefined) : undefined);
  return bare === undefined ? undefined : { ...bare, hasDependencies: false, notes: files.notes };
}

/** The uncollected changes of a checkpoint that stands on the head, as changes on top of it. */
async function restoreTree(
  tree: TreeGit,
  { checkpoint, head }: { checkpoint: Checkpoint; head: Head },
): Promise<string[]> {
  if (checkpoint.tree !== head.tree) await tree.reset(checkpoint.tree);
  return [`The workspace was made again from checkpoint ${checkpoint.commit.slice(0, 12)}.`];
}

/** What the marker knows of the index, if git has not written it since. */
async function knownIndex({ layout }: Site, { index }: Marker): Promise<TreeGit['index']> {
  const same = index !== null && index.stamp === (await indexStamp(layout.git).catch(() => undefined));
  return same ? { indexTree: index.tree, settled: index.settled } : UNKNOWN_INDEX;
}

/** The same of a marker that was written just now. */
function madeIndex({ index }: Marker): TreeGit['index'] {
  return index === null ? UNKNOWN_INDEX : { indexTree: index.tree, settled: index.settled };
}

const UNKNOWN_INDEX = { indexTree: undefined, settled: false };

/** Git that was killed leaves its locks; whoever opens a workspace has proof that nobody holds them. */
async function dropLocks(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  const locks = names.filter((name) => name.endsWith('.lock'));
  await Promise.all(locks.map((name) => rm(join(folder, name), { force: true })));
}

async function isFolder(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined))?.isDirectory() ?? false;
}
