import { parseArgs } from 'node:util';
import { messageOf } from '../../src/lib/error.ts';
import { tempFolder } from '../../src/testing/temp-repository.ts';
import type { Attack } from './attack.ts';
import { hostWalls } from './host-walls.ts';
import { closeInstallations, endInstallations } from './installed.ts';
import { attacks } from './list.ts';
import { play } from './play.ts';
import { count, head, type Line, lineOf, row, summary, title } from './table.ts';

/**
 * `npm run attacks [-- [--json] WORDS]`: plays attacks (those whose subject or name has the words) and prints what became of each. `--json`:
 * a line of JSON for each, and one of counts. Ends with 1 when one of them came through that is not known to, or could not be seen to work
 * where nothing protects.
 */
const { values, positionals } = parseArgs({ options: { json: { type: 'boolean' } }, allowPositionals: true });
const words = positionals.join(' ');
await using folder = await tempFolder('switchyard-attack-home');
const hosts = await hostWalls(folder.path);
const { level } = hosts.walled.programs;
const chosen = attacks.filter(({ name, subject }) => `${subject}: ${name}`.includes(words));
// Those of one subject stand together.
const bySubject = [...Map.groupBy(chosen, ({ subject }) => subject.replace(/ \(.*\)$/, ''))];

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void endInstallations().finally(() => process.exit(130)));

const lines: Line[] = [];
if (values.json !== true) print(head(level));
for (const [subject, group] of bySubject) {
  if (values.json !== true) print(title(subject));
  for (const attack of group) {
    const line = await played(attack);
    lines.push(line);
    print(values.json === true ? `${JSON.stringify({ level, ...line })}\n` : row(line));
  }
}
await closeInstallations();
const counts = count(lines);
print(values.json === true ? `${JSON.stringify({ level, counts })}\n` : summary(counts));
process.exitCode = counts.look === 0 ? 0 : 1;

async function played(attack: Attack): Promise<Line> {
  try {
    return lineOf(await play(attack, hosts));
  } catch (error) {
    const { name, subject, twin } = attack;
    const note = `could not be played: ${messageOf(error)}`;
    return { name, subject, verdict: 'look', twin: { name: twin.name, works: false }, note };
  }
}

function print(text: string): void {
  process.stdout.write(text);
}
