import type { Bridge } from './sandbox.ts';

/**
 * The ways out of walls without a network: sockets of the host, behind which nothing is reached but what the rules allow. Whatever is
 * refused is told.
 */
export interface Egress extends AsyncDisposable {
  /** Loopback ports that programs find within the walls. */
  readonly bridges: readonly Bridge[];
  /** What tells programs to use them: proxies, addresses of package registries. Nothing secret. */
  readonly env: Readonly<Record<string, string>>;
}

export interface EgressRules {
  /** `host`, `host:port` or `*.host`, at any depth; port 443 where none is named. */
  readonly hosts: readonly string[];
  /** Whether the package registries can be reached: the well-known ones, and those that this machine is set to. */
  readonly packages: boolean;
  /** Addresses of this machine's own loopback, such as a model server's, that programs find on the same port of theirs. */
  readonly loopback: readonly number[];
}

/**
 * Opens the ways. They lead on until disposed, which also ends what is under way. Rejects with `egress/cannot-open`. `onRefused` is told
 * each host once.
 */
export type OpenEgress = (rules: EgressRules, onRefused: (host: string) => void) => Promise<Egress>;
