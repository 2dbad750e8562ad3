/** Where branches live and changes are merged. `local` is the person's own repository. */
export interface Forge {
  readonly kind: string;
  /** The commit of a branch, undefined when there is none. */
  branch(name: string): Promise<string | undefined>;
  /**
   * Makes the branch point to the commit, whose objects come from the git store. Compare-and-set: `expected` is what the caller
   * believes to be there (undefined: nothing). Already there is `published` too.
   */
  publish(request: { branch: string; commit: string; expected: string | undefined }): Promise<PublishResult>;
  /** Deletes the branch if it still points to `expected`; otherwise leaves it and returns false. */
  unpublish(request: { branch: string; expected: string }): Promise<boolean>;
  /**
   * Moves the target branch from one commit to a descendant of it, with every checkout of it. All or nothing; a second call after a
   * death in the middle finishes the first.
   */
  move(request: { branch: string; from: string; to: string }): Promise<MoveResult>;
  /** Pushes a branch to the repository's own upstream; the message says why it could not. */
  push(branch: string): Promise<{ kind: 'pushed' } | { kind: 'refused'; message: string }>;
}

export type PublishResult =
  | { readonly kind: 'published' }
  | { readonly kind: 'moved'; readonly actual: string | undefined };

export type MoveResult =
  | { readonly kind: 'moved' }
  | { readonly kind: 'target-moved'; readonly actual: string | undefined }
  /** Nothing was moved; the files are in the way in `checkout`. */
  | { readonly kind: 'checkout-dirty'; readonly checkout: string; readonly files: readonly string[] };
