import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Act } from '../../src/testing/agent-contract.ts';

// An agent of one's own, as a person might write one: asked on standard input, it remembers conversations in files, does what
// `turns.json` says for this turn, and tells it in lines of JSON or in plain text.
let calls = 0;
const [folder = '', format = ''] = process.argv.slice(2);
const env = process.env;
const prompt = await text(process.stdin);
const id = env['SWITCHYARD_SESSION'] || `${env['SWITCHYARD_RUN']}-${env['SWITCHYARD_STEP']}`;
const memory = join(folder, `${id}.json`);
const asked = env['SWITCHYARD_SESSION'] ? await remembered() : [];

if (asked === undefined) {
  fail('unknown-session', 'I do not remember this conversation');
} else {
  tell({ kind: 'session', id });
  await writeFile(memory, JSON.stringify([...asked, prompt]));
  await writeFile(join(folder, 'asked.json'), JSON.stringify([...asked, prompt]));
  const turns = JSON.parse(await readFile(join(folder, 'turns.json'), 'utf8')) as Act[][];
  for (const act of turns[Number(env['SWITCHYARD_STEP']) - 1] ?? []) await perform(act);
  tell({ kind: 'usage', usage: { input: 0, output: 0 } });
  tell({ kind: 'end' });
}

async function perform(act: Act): Promise<void> {
  if ('say' in act) say(act.say);
  else if ('hang' in act) await think();
  else if ('fail' in act) fail('refused', 'I will not do this');
  else if ('run' in act) await run(act.run);
  else if ('write' in act) {
    await mkdir(dirname(act.write.path), { recursive: true });
    await writeFile(act.write.path, act.write.text);
  }
}

async function run(command: string): Promise<void> {
  const call = `call-${++calls}`;
  tell({ kind: 'tool-started', call, name: 'sh', input: command });
  const child = spawn('sh', ['-c', command], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    if (output.length < 1_000_000) output += chunk.toString();
  });
  // Not until the output is closed: what the command left in the background may hold it for ever.
  const [code] = (await once(child, 'exit')) as [number | null];
  child.stdout.destroy();
  tell({ kind: 'tool-ended', call, output, ok: code === 0 });
}

function say(words: string): void {
  if (format === 'jsonl') tell({ kind: 'text', text: words });
  else process.stdout.write(`${words}\n`);
}

function tell(event: object): void {
  if (format === 'jsonl') process.stdout.write(`${JSON.stringify(event)}\n`);
}

function fail(reason: string, message: string): void {
  tell({ kind: 'end', result: { kind: 'failed', failure: { class: reason, message } } });
  process.exitCode = 1;
}

async function think(): Promise<never> {
  await writeFile(join(folder, 'thinking'), '');
  return new Promise(() => setInterval(() => undefined, 60_000));
}

async function remembered(): Promise<string[] | undefined> {
  return readFile(memory, 'utf8').then(
    (json) => JSON.parse(json) as string[],
    () => undefined,
  );
}
