import { fileURLToPath } from 'node:url';
import { fixesWhatTheCheckFinds } from './fix-after-check.ts';

fixesWhatTheCheckFinds({
  kind: 'codex',
  command: fileURLToPath(new URL('../../node_modules/.bin/codex', import.meta.url)),
  model: 'scripted',
  api: 'responses',
  run: (cmd) => ({ tool: 'exec_command', input: { cmd } }),
});
