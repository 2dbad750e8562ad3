import { messageOf } from '../lib/error.ts';
import type { WorkspaceProvider } from '../ports/workspace.ts';
import type { Bases } from './bases/bases.ts';
import type { Enclosed } from './bases/build-dependencies.ts';
import { DependencyKeys } from './bases/dependency-key.ts';
import type { Base } from './bases/records.ts';
import { CHECKOUT_MS } from './lay-files.ts';
import { type Layout, workspaceLayout } from './layout.ts';
import type { Setup } from './setup.ts';
import type { Head, Site } from './site.ts';

/** Makes walls for a throw-away workspace at a layout; whoever asked disposes them. */
export type Enclose = (layout: Layout) => Promise<Enclosed>;

export interface WantedDependencies {
  /** The commit or tree that setup would run on. */
  readonly treeish: string;
  readonly setup: Setup;
  /** The commit that the run began at, and how to run its setup for all: only what a person has committed may come to be shared. */
  readonly share: { readonly base: Head; readonly enclose: Enclose } | undefined;
  readonly signal: AbortSignal;
}

/** What setup would make, if it is there or can be made for all; else setup has to run in the workspace. */
export interface FoundDependencies {
  readonly base: Base<'dependencies'> | undefined;
  /** The same where laying it does not pay, though somebody may have laid it beforehand. */
  readonly there?: Base<'dependencies'>;
  readonly notes: readonly string[];
}

/** Decides whether setup has to run. */
export class Dependencies {
  readonly #bases: Bases;
  readonly #provider: WorkspaceProvider;
  readonly #keys = new DependencyKeys();
  /** Keys of which nothing can be shared, and why: nobody tries again before the worker is started again. */
  readonly #refused = new Map<string, string>();

  constructor(bases: Bases, provider: WorkspaceProvider) {
    this.#bases = bases;
    this.#provider = provider;
  }

  /**
   * Waits for the making where it has to be made, so that many who want it at once make it once. Where laying costs as much as writing
   * (plain copies), nothing is made while somebody waits: one of a background's `prepare` is used.
   */
  async find(site: Site, wanted: WantedDependencies): Promise<FoundDependencies> {
    const { store } = site;
    const key = await this.#keyOf(site, wanted.setup, wanted.treeish);
    const there = await this.#bases.dependencies(store, key);
    if (there !== undefined) return this.#pays(there) ? used(there) : { ...NONE, there };
    if (wanted.share === undefined || this.#provider.perFileMs >= CHECKOUT_MS) return NONE;
    if (
      wanted.treeish !== wanted.share.base.tree &&
      key !== (await this.#keyOf(site, wanted.setup, wanted.share.base.tree))
    )
      return NONE;
    const { base: head, enclose } = wanted.share;
    const inside = (wanted.setup.sandbox ?? site.sandbox).inside(site.layout.tree);
    const made = await this.#make({ store, head, key, inside, enclose, quiet: false, signal: wanted.signal });
    if ('refused' in made) return { base: undefined, notes: [`${made.refused}: setup runs for this run alone.`] };
    return this.#pays(made) ? used(made) : NONE;
  }

  /** Makes it ready for later, unless it is there or was refused before. */
  async prepare({ store, head, enclose, signal }: Omit<Making, 'key' | 'inside' | 'quiet'>): Promise<void> {
    // Walls at a place where nothing is tell what the key depends on; nothing is started in them.
    const layout = workspaceLayout(PROBE.folder, PROBE.run);
    await using enclosed = await enclose(layout);
    const { setup, sandbox } = enclosed;
    const key = await this.#keyOf({ store, sandbox }, setup, head.tree);
    if ((await this.#bases.dependencies(store, key)) !== undefined) return;
    const inside = (setup.sandbox ?? sandbox).inside(layout.tree);
    await this.#make({ store, head, key, inside, enclose, quiet: true, signal });
  }

  async #make(making: Making): Promise<Base<'dependencies'> | { readonly refused: string }> {
    const { key, signal } = making;
    const refused = this.#refused.get(key);
    if (refused !== undefined) return { refused };
    try {
      const made = await this.#bases.makeDependencies(making);
      if ('refused' in made) this.#refused.set(key, made.refused);
      return made;
    } catch (error) {
      signal.throwIfAborted();
      const why = `What setup makes could not be made for all runs (${messageOf(error).split('\n', 1)[0]})`;
      this.#refused.set(key, why);
      return { refused: why };
    }
  }

  /** Whether laying it takes less time than setup did. */
  #pays({ files, setupMs }: Base<'dependencies'>): boolean {
    return files * this.#provider.perFileMs < setupMs;
  }

  #keyOf({ store, sandbox }: Pick<Site, 'store' | 'sandbox'>, setup: Setup, treeish: string): Promise<string> {
    return this.#keys.keyOf({ store: store.path, treeish, setup, sandbox: setup.sandbox ?? sandbox });
  }
}

type Making = Parameters<Bases['makeDependencies']>[0];

/** A layout like all, at which nothing is. */
const PROBE = { folder: '/nonexistent/switchyard', run: 'workspace' };

const NONE: FoundDependencies = { base: undefined, notes: [] };

/** What was laid instead of running setup, with the note that says so. */
export function used(base: Base<'dependencies'>): FoundDependencies {
  const note = `Setup was not run: what it makes of these lockfiles was there (from commit ${base.commit.slice(0, 12)}).`;
  return { base, notes: [note] };
}
