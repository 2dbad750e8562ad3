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
   * death in the middle finishes the first. Files of a checkout that are as in the commit `kept` count as kept there: they are not in
   * the way, and go along.
   */
  move(request: { branch: string; from: string; to: string; kept?: string | undefined }): Promise<MoveResult>;
  /** Pushes a branch to the repository's own upstream; the message says why it could not. */
  push(branch: string): Promise<{ kind: 'pushed' } | { kind: 'refused'; message: string }>;
  /** The person's checkouts of the repository, where it lies on this machine. */
  readonly checkouts?: PersonCheckouts;
}

/** What a person asks for in their own checkouts. Their hooks never run; nothing but what is named here is touched. */
export interface PersonCheckouts {
  /**
   * Makes the checkout (the top folder of a worktree) stand on a branch: files that differ between the two commits, the index, HEAD. All
   * or nothing; a second call after a death in the middle finishes the first.
   */
  switchTo(request: { folder: string; branch: string }): Promise<SwitchResult>;
  /** Adds a worktree that stands on the branch, in a folder that is absent or empty. */
  add(request: { folder: string; branch: string }): Promise<SwitchResult>;
}

export type SwitchResult =
  | { readonly kind: 'switched' }
  /** Nothing was moved; these files are in the way. */
  | ({ readonly kind: 'in-the-way' } & InTheWay)
  /** Another worktree has the branch checked out. */
  | { readonly kind: 'elsewhere'; readonly folder: string };

/** What keeps a checkout from going along. */
export interface InTheWay {
  readonly files: readonly string[];
  /**
   * Where it would not help to commit or move the files: what is so in the checkout and what helps, as half a sentence that can follow
   * "where".
   */
  readonly advice?: string | undefined;
}

export type PublishResult =
  | { readonly kind: 'published' }
  | { readonly kind: 'moved'; readonly actual: string | undefined };

export type MoveResult =
  | { readonly kind: 'moved' }
  | { readonly kind: 'target-moved'; readonly actual: string | undefined }
  /** Nothing was moved; the files are in the way in `checkout`. */
  | ({ readonly kind: 'checkout-dirty'; readonly checkout: string } & InTheWay);
