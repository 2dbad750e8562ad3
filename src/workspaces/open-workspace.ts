import { lstat, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { between } from '../lib/crash-point.ts';
import { git } from '../lib/git/git.ts';
import type { WorkspaceProvider } from '../ports/workspace.ts';
import { AgentSide } from './agent-side.ts';
import { CheckoutWorkspace } from './checkout-workspace.ts';
import { type Checkpoint, readCheckpoint, restoreParts, standsOn } from './checkpoints.ts';
import { copyFiles } from './copy-files.ts';
import { formatOf, writeHarnessGit } from './git-folders.ts';
import { runRef } from './git-store.ts';
import { excludeLitter } from './litter.ts';
import { indexStamp, type Marker, readMarker, writeMarker } from './marker.ts';
import { runSetup } from './setup.ts';
import type { Head, Site } from './site.ts';
import { headOf } from './take-commits.ts';
import { TreeGit } from './tree-git.ts';
import type { Opened, OpenRequest } from './workspaces.ts';

/** The workspace that is there, brought to where the run stands; undefined when it is not whole. */
export async function reopen(site: Site, request: OpenRequest): Promise<Opened | undefined> {
  const { layout, store } = site;
  const marker = await readMarker(layout.marker);
  if (marker === undefined || marker.slug !== request.slug || !(await isFolder(layout.tree))) return undefined;
  await dropLocks(layout.git);
  const index = await knownIndex(site, marker);
  const head = marker.head.commit === request.head ? marker.head : await headOf(store.path, request.head);
  // The attempt before may have died between its collecting and its end: then its work is still to be collected, from the same head.
  const again = marker.collected?.step === request.step && marker.collected.from === request.head;
  const hasCheckpoint = request.checkpoint === undefined || marker.checkpoints.includes(request.checkpoint);
  if (hasCheckpoint && (again || marker.head.commit === request.head)) {
    const workspace = new CheckoutWorkspace(site, { head, marker, index });
    return { workspace, fresh: false, notes: await workspace.mendAgentGit() };
  }
  const checkpoint =
    request.checkpoint === undefined ? undefined : await readCheckpoint(store.path, request.checkpoint);
  const workspace = new CheckoutWorkspace(site, { head: marker.head, marker, index });
  return { workspace, fresh: false, notes: await workspace.bring(head, checkpoint) };
}

/** A new workspace; nothing is there. Dying in the middle leaves one without a marker, which is not whole. */
export async function create(site: Site, request: OpenRequest, provider: WorkspaceProvider): Promise<Opened> {
  const { layout, store, crashPoint } = site;
  const { signal, setup, copy } = request;
  const [head, checkpoint, sessions, kept] = await Promise.all([
    headOf(store.path, request.head),
    request.checkpoint === undefined ? undefined : readCheckpoint(store.path, request.checkpoint),
    request.kept === undefined ? undefined : readCheckpoint(store.path, request.kept),
    store.resolve(runRef(site.run, 'head')),
  ]);
  const notes: string[] = [];
  const agent = new AgentSide(site);
  const tree = new TreeGit(site, UNKNOWN_INDEX);
  await between(crashPoint, 'workspace', async () => {
    await makeFiles(site, { head, provider, signal });
    if (checkpoint !== undefined) notes.push(...(await restoreTree(site, tree, { checkpoint, head })));
    if (copy.globs.length > 0) notes.push(...(await copyFiles(copy.from, layout.tree, copy.globs)));
    await agent.replace(head);
  });
  signal.throwIfAborted();
  if (setup !== undefined)
    await between(crashPoint, 'setup', () => runSetup(setup, { ...site, tree: layout.tree, signal }));
  const litters = setup !== undefined || copy.globs.length > 0;
  if (litters) notes.push(...(await excludeLitter(site)));
  const parts = checkpoint ?? sessions;
  if (parts !== undefined) await restoreParts(site, parts);
  if (litters) await agent.replace(head);
  const marker: Marker = {
    version: 1,
    slug: request.slug,
    head,
    index: checkpoint === undefined ? { tree: head.tree, stamp: await indexStamp(layout.git), settled: false } : null,
    kept: kept ?? null,
    collected: null,
    checkpoints: checkpoint === undefined ? [] : [checkpoint.commit],
  };
  await writeMarker(layout.marker, marker);
  return {
    workspace: new CheckoutWorkspace(site, { head, marker, index: await knownIndex(site, marker) }),
    fresh: true,
    notes,
  };
}

async function makeFiles(
  site: Site,
  make: { head: Head; provider: WorkspaceProvider; signal: AbortSignal },
): Promise<void> {
  const { layout, store, sessionFiles } = site;
  const { head, provider, signal } = make;
  await mkdir(layout.root, { recursive: true, mode: 0o700 });
  await mkdir(layout.homes, { recursive: true });
  for (const own of [layout.home, layout.tmp]) await mkdir(own, { recursive: true, mode: 0o700 });
  for (const { agent } of sessionFiles) await mkdir(join(layout.homes, agent), { recursive: true });
  writeHarnessGit(layout.git, store.path, formatOf(head.commit));
  await provider.create({ mirror: store.path, gitDir: layout.git, folder: layout.tree, commit: head.commit, signal });
  if ((await lstat(join(layout.git, 'index')).catch(() => undefined)) !== undefined) return;
  const options = { gitDir: layout.git, workTree: layout.tree, cwd: layout.tree, signal };
  await git(['read-tree', head.commit], options);
  await git(['update-index', '-q', '--refresh'], options);
}

/** The uncollected changes of a checkpoint, as changes on top of the head; none where it stands on something else. */
async function restoreTree(
  site: Site,
  tree: TreeGit,
  { checkpoint, head }: { checkpoint: Checkpoint; head: Head },
): Promise<string[]> {
  if (!(await standsOn(site.store.path, checkpoint, head.commit))) return [];
  if (checkpoint.tree !== head.tree) await tree.reset(checkpoint.tree);
  return [`The workspace was made again from checkpoint ${checkpoint.commit.slice(0, 12)}.`];
}

/** What the marker knows of the index, if git has not written it since. */
async function knownIndex({ layout }: Site, { index }: Marker): Promise<TreeGit['index']> {
  const same = index !== null && index.stamp === (await indexStamp(layout.git).catch(() => undefined));
  return same ? { indexTree: index.tree, settled: index.settled } : UNKNOWN_INDEX;
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
