import { fileURLToPath } from 'node:url';
import { fixesWhatTheCheckFinds } from './fix-after-check.ts';

fixesWhatTheCheckFinds({
  kind: 'claude',
  command: fileURLToPath(new URL('../../node_modules/.bin/claude', import.meta.url)),
  model: 'claude-opus-5-5',
  api: 'anthropic',
  run: (command) => ({ tool: 'Bash', input: { command, description: 'as the test says' } }),
});
