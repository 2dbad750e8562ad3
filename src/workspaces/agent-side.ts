import { type AgentGitState, lookAtAgentGit } from './agent-git-state.ts';
import { type AgentWork, takeAgentWork } from './agent-work.ts';
import { type AgentGit, advanceAgentGit, replaceAgentGit } from './git-folders.ts';
import { showObjects } from './shown-objects.ts';
import type { Head, Site } from './site.ts';
import { sourceObjects } from './source-objects.ts';

/** The agent's git directory in the checkout: disposable, and believed in nothing that was not verified in the store. */
export class AgentSide {
  readonly #site: Site;
  /** What programs of the run can read. */
  readonly #shown: Set<string>;
  #taken: { readonly state: string; readonly work: AgentWork | undefined } | undefined;

  /** `stands`: what the one that is there was made for. */
  constructor(site: Site, stands?: Head) {
    this.#site = site;
    this.#shown = new Set(stands === undefined ? [] : [stands.commit]);
  }

  /** How it differs from a new one that stands on the head. */
  look(head: Head): AgentGitState {
    return lookAtAgentGit(this.#site.layout.tree, this.#made(head));
  }

  /** What it holds that the store does not keep yet; undefined when git cannot read it. */
  async take(state: AgentGitState & { kind: 'touched' }, head: Head): Promise<AgentWork | undefined> {
    const key = `${head.commit} ${state.state}`;
    if (this.#taken?.state !== key) this.#taken = { state: key, work: await takeAgentWork(this.#site, head.commit) };
    return this.#taken.work;
  }

  /** Puts a new one in its place that stands on the head and has the harness's index, which holds `index` where that is not the head's tree. */
  async replace(head: Head, index: string = head.tree): Promise<void> {
    const { layout } = this.#site;
    await this.#show(index === head.tree ? [head.commit] : [head.commit, index]);
    await replaceAgentGit(layout.tree, layout.git, this.#made(head));
  }

  /** The same where `look` has just said that it is untouched: only the branch moves. */
  async advance(head: Head): Promise<void> {
    const { layout } = this.#site;
    await this.#show([head.commit]);
    advanceAgentGit(layout.tree, layout.git, this.#made(head));
  }

  async #show(wanted: readonly string[]): Promise<void> {
    await showObjects(this.#site, { wanted, shown: this.#shown });
    for (const id of wanted) this.#shown.add(id);
  }

  #made({ commit }: Head): AgentGit {
    const { layout, store, slug, base, identity, sparse } = this.#site;
    const objects = [sourceObjects(store.path), layout.objects];
    return { objects, branch: `switchyard/${slug}`, head: commit, base, identity, sparse };
  }
}
