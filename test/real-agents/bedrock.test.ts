import { fileURLToPath } from 'node:url';
import { fixesWhatTheCheckFinds } from './fix-after-check.ts';

/** The agent speaks to its model as ever, and knows neither of the cloud nor of whoever signs for it. */
fixesWhatTheCheckFinds({
  kind: 'claude',
  command: fileURLToPath(new URL('../../node_modules/.bin/claude', import.meta.url)),
  model: 'claude-opus-5-5',
  api: 'anthropic',
  cloud: {
    kind: 'bedrock',
    region: 'eu-west-1',
    models: { 'claude-opus-5-5': 'eu.anthropic.claude-opus-5-5-v1:0' },
  },
  env: { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' },
  run: (command) => ({ tool: 'Bash', input: { command, description: 'as the test says' } }),
});
