import type { Agent } from 'node:http';
import type { ModelCloud } from '../../../domain/model-cloud.ts';
import type { Clock } from '../../../lib/clock.ts';
import type { Credential } from '../credential.ts';
import { awsIdentity } from './aws-identity.ts';
import { googleIdentity } from './google-identity.ts';

export interface IdentityParts {
  /** By way of this machine's proxies. */
  readonly agentFor: (url: URL) => Agent;
  readonly clock: Clock;
}

/** This machine's identity at a cloud. */
export type IdentityAt = (cloud: ModelCloud) => Credential;

/** Each identity is found once, for all agents. */
export function cloudIdentities(parts: IdentityParts): IdentityAt {
  const known = new Map<string, Credential>();
  return (cloud) => {
    const name = JSON.stringify(
      cloud.kind === 'bedrock' ? [cloud.kind, cloud.region, cloud.profile] : [cloud.kind, cloud.project],
    );
    const identity = known.get(name) ?? identityAt(cloud, parts);
    known.set(name, identity);
    return identity;
  };
}

function identityAt(cloud: ModelCloud, parts: IdentityParts): Credential {
  if (cloud.kind === 'vertex') return googleIdentity(cloud.project, parts);
  const { region, profile } = cloud;
  return awsIdentity({ region, profile }, parts);
}
