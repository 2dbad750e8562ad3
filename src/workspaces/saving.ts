import { isAncestor } from '../lib/git/commits.ts';
import type { AgentSide } from './agent-side.ts';
import type { AgentWork } from './agent-work.ts';
import { savedParts, writeCheckpoint } from './checkpoints.ts';
import { entryOf, type FoundPart, type PartName, sealPart } from './private-parts.ts';
import { beyond } from './salvage.ts';
import type { Head, Site } from './site.ts';
import type { TreeGit } from './tree-git.ts';

/** Writes all that is only in the workspace as the commit of a checkpoint. Which ref keeps it is for the caller to say. */
export class Saving {
  readonly #site: Site;
  readonly #tree: TreeGit;
  readonly #agent: AgentSide;
  /** The parts that the store was given last. */
  readonly #sealed = new Map<PartName, { readonly tree: string; readonly id: string }>();
  #last: { readonly state: string; readonly commit: string } | undefined;

  constructor(site: Site, tree: TreeGit, agent: AgentSide) {
    this.#site = site;
    this.#tree = tree;
    this.#agent = agent;
  }

  /** The same state gives the same commit. `collected`: apart from carried and session files it holds no more than the head. */
  async save(head: Head): Promise<{ commit: string; collected: boolean }> {
    const state = this.#agent.look(head);
    const work = state.kind === 'touched' ? await this.#agent.take(state, head) : undefined;
    const tips = work === undefined ? [head.commit] : await this.#tips(head, work);
    const { tree, parts } = await this.#tree.snapshot({
      against: head.tree,
      save: savedParts(this.#site, (name) => this.#sealed.get(name)?.tree),
    });
    await this.#tree.give([tree], [head.tree]);
    const folders = new Map([['tree', tree]]);
    for (const [name, part] of parts) folders.set(entryOf(name, part.tree), await this.#seal(name, part));
    const key = [...folders.values(), ...tips].join(' ');
    if (this.#last?.state !== key) {
      this.#last = { state: key, commit: await writeCheckpoint(this.#site, { head, folders, tips }) };
    }
    const collected = tree === head.tree && tips.length === 1 && tips[0] === head.commit;
    return { commit: this.#last.commit, collected };
  }

  async #seal(name: PartName, part: FoundPart): Promise<string> {
    const { tree } = part;
    const last = this.#sealed.get(name);
    if (last?.tree === tree) return last.id;
    const id = await sealPart(this.#site, name, part);
    this.#sealed.set(name, { tree, id });
    return id;
  }

  /** The commits that a checkpoint has to keep: what the checkout's tree stands on first. */
  async #tips(head: Head, { branch = head.commit, others }: AgentWork): Promise<string[]> {
    const { path } = this.#site.store;
    const first = (await isAncestor(path, head.commit, branch)) ? branch : head.commit;
    const aside = await beyond(path, [{ commit: branch }, ...others], [first]);
    return [...new Set([first, ...aside.map(({ commit }) => commit)])];
  }
}
