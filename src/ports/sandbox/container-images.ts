import type { ResourceLimits } from '../../domain/sandbox.ts';

/** The images of this host's container engine, as far as repositories may have a say in what their programs run in. */
export interface ContainerImages {
  /** The image of that name; where the engine has none and `pull` is set, it is fetched from its registry. Rejects when aborted. */
  find(name: string, options: { readonly pull: boolean; readonly signal?: AbortSignal }): Promise<FoundImage>;
  /**
   * Builds an image, or finds the one that was built of the same before. What the build starts has ended when it resolves, and does not
   * outlive this process where this one is root's. Rejects when aborted.
   */
  build(order: ImageBuild, options: { readonly signal?: AbortSignal }): Promise<FoundImage>;
}

export type FoundImage =
  /** `id` names it as long as it is there; `name` is for people. */
  | { readonly kind: 'found'; readonly name: string; readonly id: string }
  /** Half a sentence for a person. */
  | { readonly kind: 'missing'; readonly why: string };

export interface ImageBuild {
  /** Names what it is built of: another content has another key. */
  readonly key: string;
  /** The text of the Dockerfile. */
  readonly dockerfile: string;
  /** Ids of the images that it begins with: the engine has them. */
  readonly bases: readonly string[];
  readonly args: Readonly<Record<string, string>>;
  readonly target: string | undefined;
  /** Whether its commands have the network that the engine gives to builds, or none. */
  readonly isOnline: boolean;
  readonly limits: ResourceLimits;
  /** Writes the files that the Dockerfile may copy into an empty folder; called only when something is built. */
  writeContext(folder: string): Promise<void>;
}
