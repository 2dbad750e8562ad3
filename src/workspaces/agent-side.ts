import { type AgentGitState, lookAtAgentGit } from './agent-git-state.ts';
import { type AgentWork, takeAgentWork } from './agent-work.ts';
import { type AgentGit, advanceAgentGit, replaceAgentGit } from './git-folders.ts';
import type { Head, Site } from './site.ts';

/** The agent's git directory in the checkout: disposable, and believed in nothing that was not verified in the store. */
export class AgentSide {
  readonly #site: Site;
  #taken: { readonly state: string; readonly work: AgentWork | undefined } | undefined;

  constructor(site: Site) {
    this.#site = site;
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

  /** Puts a new one in its place that stands on the head and has the harness's index. */
  async replace(head: Head): Promise<void> {
    const { layout } = this.#site;
    await replaceAgentGit(layout.tree, layout.git, this.#made(head));
  }

  /** The same where `look` has just said that it is untouched: only the branch moves. */
  advance(head: Head): void {
    const { layout } = this.#site;
    advanceAgentGit(layout.tree, layout.git, this.#made(head));
  }

  #made({ commit }: Head): AgentGit {
    const { store, slug, base, identity, sparse } = this.#site;
    return { store: store.path, branch: `switchyard/${slug}`, head: commit, base, identity, sparse };
  }
}
