import { between } from '../lib/crash-point.ts';
import { isAncestor } from '../lib/git/commits.ts';
import { GITLINK } from '../lib/git/loose-trees.ts';
import type { Collected, CommitText, Workspace } from '../ports/workspace.ts';
import type { AgentGitState } from './agent-git-state.ts';
import { AgentSide } from './agent-side.ts';
import type { AgentWork } from './agent-work.ts';
import { type Checkpoint, restoreParts, standsOn } from './checkpoints.ts';
import { commitChanges, gatherCommits, keepHead, nameLeftOut } from './collecting.ts';
import { runRef } from './git-store.ts';
import { indexStamp, type Marker, writeMarker } from './marker.ts';
import { readable } from './raw-differences.ts';
import type { ReadyShell } from './ready-shell.ts';
import { beyond, salvage } from './salvage.ts';
import { readyShell } from './sandboxed.ts';
import { Saving } from './saving.ts';
import type { Head, Site } from './site.ts';
import {
  keepSubmoduleChanges,
  layWorkspaceSubmodules,
  mendWorkspaceSubmodules,
} from './submodules/workspace-submodules.ts';
import { headOf } from './take-commits.ts';
import { TreeGit } from './tree-git.ts';

/** How many checkpoints a workspace remembers as its own; older ones are no longer asked for. */
const REMEMBERED = 200;

/** A workspace whose parts are all there. One operation at a time: a checkpoint that falls due during another one waits. */
export class CheckoutWorkspace implements Workspace {
  readonly folder: string;
  readonly homes: string;
  readonly #site: Site;
  readonly #tree: TreeGit;
  readonly #agent: AgentSide;
  readonly #saving: Saving;
  readonly #removed = new Set<string>();
  #head: Head;
  #marker: Marker;
  #last: Promise<unknown> = Promise.resolve();
  #ready: ReadyShell | undefined;

  constructor(site: Site, { head, marker, index }: { head: Head; marker: Marker; index: TreeGit['index'] }) {
    this.folder = site.layout.tree;
    this.homes = site.layout.homes;
    this.#site = {
      ...site,
      onPipeRemoved: (path) => this.#removed.add(path),
      takeReady: () => {
        const ready = this.#ready;
        this.#ready = undefined;
        return ready;
      },
    };
    this.#head = head;
    this.#marker = marker;
    this.#tree = new TreeGit(this.#site, index);
    this.#agent = new AgentSide(this.#site, head);
    this.#saving = new Saving(this.#site, this.#tree, this.#agent);
  }

  get head(): string {
    return this.#head.commit;
  }

  prepare(): AsyncDisposable {
    if (this.#ready?.isWaiting !== true) this.#ready = readyShell(this.#site);
    return this.#ready;
  }

  collect(text: CommitText): Promise<Collected> {
    return this.#alone(() => this.#collect(text));
  }

  checkpoint(): Promise<string> {
    return this.#alone(async () => {
      const { commit } = await this.#saving.save(this.#head);
      if (this.#marker.checkpoints.at(-1) === commit) return commit;
      const { run, step, attempt, crashPoint, store } = this.#site;
      const ref = runRef(run, `checkpoint-${step.replaceAll(/[^A-Za-z0-9_-]+/g, '-')}-${attempt}`);
      await between(crashPoint, 'checkpoint', () => store.keep(ref, commit));
      await this.#mark({ checkpoints: [...this.#marker.checkpoints, commit].slice(-REMEMBERED) });
      return commit;
    });
  }

  reset(commit: string): Promise<void> {
    return this.#alone(async () => {
      const { store } = this.#site;
      const left = this.#head.commit;
      await using _ready = this.prepare();
      if (!(await isAncestor(store.path, left, commit))) await salvage(this.#site, [{ name: 'reset', commit: left }]);
      const head = await headOf(store.path, commit);
      await this.#keepSubmodules();
      await this.#tree.reset(head.tree);
      await layWorkspaceSubmodules(this.#site, { commit, fresh: false });
      await this.#moveTo(head, { state: this.#agent.look(this.#head), collected: null });
    });
  }

  restore(): Promise<readonly string[]> {
    return this.#alone(async () => {
      const paths = await this.#tree.restore(this.#head.tree);
      await mendWorkspaceSubmodules(this.#site, this.#head.commit);
      return paths;
    });
  }

  changedSince(commit: string): Promise<readonly string[]> {
    return this.#alone(async () => {
      const { differences } = await this.#tree.snapshot({ against: commit, differences: 'always' });
      return differences
        .filter(({ mode }) => mode !== GITLINK)
        .map(({ path }) => readable(path))
        .sort();
    });
  }

  /**
   * Mends the agent's git directory where it is broken or stands elsewhere; commits in it that still count stay. `anyway`: a new one is made
   * even so, and what was committed is kept below salvage refs.
   */
  async mendAgentGit({ anyway }: { anyway: boolean }): Promise<readonly string[]> {
    const state = this.#agent.look(this.#head);
    if (state.kind === 'untouched') return [];
    const work = state.kind === 'touched' ? await this.#agent.take(state, this.#head) : undefined;
    const { path } = this.#site.store;
    if (
      !anyway &&
      work?.onBranch === true &&
      work.branch !== undefined &&
      (await isAncestor(path, this.#head.commit, work.branch))
    )
      return [];
    const notes = work === undefined ? [] : await this.#setAside(work);
    await this.#agent.replace(this.#head, await this.#indexTree());
    return ["The workspace's git directory was broken or stood elsewhere: it was made anew.", ...notes];
  }

  /**
   * Makes the files those of a head and of a checkpoint on top, whatever is there; what is there and nowhere else is kept below a
   * salvage ref first.
   */
  async bring(head: Head, checkpoint: Checkpoint | undefined): Promise<readonly string[]> {
    const { commit, collected } = await this.#saving.save(this.#head);
    const notes: string[] = collected ? [] : await salvage(this.#site, [{ name: 'left-over', commit }]);
    const { path } = this.#site.store;
    const stands = checkpoint !== undefined && (await standsOn(path, checkpoint, head.commit));
    notes.push(...(await this.#keepSubmodules()));
    await this.#tree.reset(stands ? checkpoint.tree : head.tree);
    await layWorkspaceSubmodules(this.#site, { commit: head.commit, fresh: false });
    if (checkpoint !== undefined) notes.push(...(await restoreParts(this.#site, checkpoint)));
    this.#head = head;
    await this.#agent.replace(head, stands ? checkpoint.tree : head.tree);
    const checkpoints = checkpoint === undefined ? [] : [checkpoint.commit];
    await this.#mark({
      head,
      collected: null,
      checkpoints: [...this.#marker.checkpoints, ...checkpoints].slice(-REMEMBERED),
    });
    return notes;
  }

  async #collect(text: CommitText): Promise<Collected> {
    const site = this.#site;
    const from = this.#head;
    const state = this.#agent.look(from);
    const work = state.kind === 'touched' ? await this.#agent.take(state, from) : undefined;
    const gathered = work === undefined ? { head: from, notes: [] } : await gatherCommits(site, from, { work, text });
    const committed = work?.sound === true && work.branch !== from.commit ? work.branch : undefined;
    const snapshot = await this.#tree.snapshot({ against: from.tree, committed });
    const notes = [...gathered.notes, ...(await nameLeftOut(site, this.#tree, { snapshot, head: from }))];
    if (state.kind !== 'untouched' && work === undefined) notes.push(UNREADABLE);
    for (const path of this.#removed) notes.push(`${path} was a pipe, and git waited for it: it was removed.`);
    this.#removed.clear();
    const [head] = await Promise.all([
      snapshot.tree === gathered.head.tree
        ? gathered.head
        : commitChanges(site.store.path, { tree: snapshot.tree, parent: gathered.head, text }),
      this.#tree.give([snapshot.tree], [from.tree, gathered.head.tree]),
    ]);
    const changed = head.commit !== from.commit;
    if (changed) await this.#moveTo(head, { state, collected: { step: site.step, from: from.commit } });
    else if (state.kind !== 'untouched') await this.#agent.replace(head);
    return { head: head.commit, changed, notes };
  }

  /** The working tree stands on `head` already: the store, the agent's git directory and the marker follow, in this order. */
  async #moveTo(
    head: Head,
    { state, collected }: { state: AgentGitState; collected: Marker['collected'] },
  ): Promise<void> {
    await between(this.#site.crashPoint, 'checkpoint', () => keepHead(this.#site, head.commit, this.#marker.kept));
    this.#head = head;
    if (state.kind === 'untouched') await this.#agent.advance(head);
    else await this.#agent.replace(head);
    await this.#mark({ head, collected, kept: head.commit });
  }

  /** What is changed within submodules is no part of a checkpoint or commit, and would be written over. */
  #keepSubmodules(): Promise<readonly string[]> {
    return keepSubmoduleChanges(this.#site, (made) => this.#tree.give([made], [this.#head.tree]));
  }

  /** The tree of the harness's index; the store has it then. */
  async #indexTree(): Promise<string> {
    const tree =
      this.#tree.index.indexTree ??
      (await this.#tree.snapshot({ against: this.#head.tree, differences: 'always' })).tree;
    await this.#tree.give([tree], [this.#head.tree]);
    return tree;
  }

  async #setAside({ branch, others }: AgentWork): Promise<string[]> {
    const own = branch === undefined ? [] : [{ name: `switchyard/${this.#site.slug}`, commit: branch }];
    return salvage(this.#site, await beyond(this.#site.store.path, [...own, ...others], [this.#head.commit]));
  }

  async #mark(change: Partial<Marker>): Promise<void> {
    const { layout } = this.#site;
    const { indexTree, settled } = this.#tree.index;
    const index = indexTree === undefined ? null : { tree: indexTree, stamp: await indexStamp(layout.git), settled };
    this.#marker = { ...this.#marker, ...change, index };
    await writeMarker(layout.marker, this.#marker);
  }

  #alone<T>(operation: () => Promise<T>): Promise<T> {
    const result = this.#last.then(operation);
    // A failure is the caller's to hear of; the next operation begins all the same.
    this.#last = result.catch(() => undefined);
    return result;
  }
}

const UNREADABLE =
  "The workspace's git directory could not be read; it was made anew. Commits in it that were not collected are lost, files are not.";
