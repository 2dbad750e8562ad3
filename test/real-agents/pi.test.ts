import { fileURLToPath } from 'node:url';
import { fixesWhatTheCheckFinds } from './fix-after-check.ts';

fixesWhatTheCheckFinds({
  kind: 'pi',
  command: fileURLToPath(new URL('../../node_modules/.bin/pi', import.meta.url)),
  model: 'scripted',
  api: 'chat',
  run: (command) => ({ tool: 'bash', input: { command } }),
});
