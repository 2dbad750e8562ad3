import type { InForce } from './in-force.ts';

/** What a repository's configuration asks for and this version does not do, one sentence each: it is said, not passed over. */
export function notInForce({ config, unread }: Pick<InForce, 'config' | 'unread'>): string[] {
  const { network } = config.workspace;
  return [
    ...(network === undefined
      ? []
      : ['workspace.network is not in force: the sandbox levels of this version leave the network open.']),
    ...(config.server === undefined
      ? []
      : [`server is not in force: runs and merges happen on this machine, not on ${config.server}.`]),
    ...(unread.length === 0 ? [] : [`${unread.join(', ')}: not in force, this version does not read them.`]),
  ];
}
