/** Something that a dead process of ours left behind, with the proof that it did. Finding it changes nothing. */
export interface Leftover {
  readonly kind: 'process' | 'socket' | 'database' | 'database-files' | 'workspace' | 'mount' | 'container' | 'scratch';
  readonly what: string;
  readonly proof: string;
  /** Looks once more and clears it away. Returns why it was kept, undefined when it is gone. */
  readonly remove: () => Promise<string | undefined>;
}
