import type { AgentEntry } from '../../../domain/agent-entry.ts';
import type { Carrier } from '../carrier.ts';
import { bedrock } from './bedrock.ts';
import { vertex } from './vertex.ts';

/** What carries requests to an endpoint that is a cloud's; undefined for one that speaks its protocol itself. */
export function carrierOf({ cloud, baseUrl }: NonNullable<AgentEntry['endpoint']>): Carrier | undefined {
  if (cloud === undefined) return undefined;
  const base = new URL(baseUrl);
  return cloud.kind === 'bedrock' ? bedrock(cloud, base) : vertex(cloud, base);
}
