import { expect, test } from 'vitest';
import { AgentEntry } from '../domain/agent-entry.ts';
import { describeSignIn } from './agent-sign-in.ts';

const described = (endpoint: object) =>
  describeSignIn(AgentEntry.parse({ kind: 'claude', endpoint: { api: 'anthropic', ...endpoint } }));

test.each([
  [{ kind: 'bedrock', region: 'us-east-1' }, 'this machine’s identity of AWS, for Bedrock in us-east-1 '],
  [{ kind: 'bedrock', region: 'us-east-1', profile: 'dev' }, 'the AWS profile dev, for Bedrock in us-east-1 '],
  [
    { kind: 'vertex', project: 'my-project', region: 'global' },
    'Google’s application default credentials, for Vertex AI, my-project in global ',
  ],
])('an agent with the cloud %j is described by its identity there', (cloud, text) => {
  expect(described({ cloud })).toContain(text);
});

test('a key for a cloud is described by its variable', () => {
  const text = described({ key: { env: 'AWS_BEARER_TOKEN_BEDROCK' }, cloud: { kind: 'bedrock', region: 'us-east-1' } });
  expect(text).toBe(
    'the key in AWS_BEARER_TOKEN_BEDROCK, for Bedrock in us-east-1 (https://bedrock-runtime.us-east-1.amazonaws.com); the gateway signs requests with it outside of the sandbox',
  );
});
