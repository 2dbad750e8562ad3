import { messageOf } from '../../src/lib/error.ts';
import { tempFolder } from '../../src/testing/temp-repository.ts';
import { type Canary, isTaken } from './attack.ts';
import { hostWalls } from './host-walls.ts';
import { closeInstallations } from './installed.ts';
import { attacks } from './list.ts';
import { isAsExpected, type Played, play } from './play.ts';

/**
 * `npm run attacks [-- WORDS]`: plays attacks (those whose subject or name has the words) and prints what became of each. Ends with 1 when
 * one of them came through, or could not be seen to work where nothing protects.
 */
const words = process.argv.slice(2).join(' ');
await using folder = await tempFolder('switchyard-attack-home');
const hosts = await hostWalls(folder.path);
const chosen = attacks.filter(({ name, subject }) => `${subject}: ${name}`.includes(words));
let [bad, known] = [0, 0];
print(['an agent that …', 'without protection', `level ${hosts.walled.programs.level}`, 'an honest one']);
for (const attack of chosen) {
  try {
    const played = await play(attack, hosts);
    if (!isAsExpected(played)) bad++;
    else if (attack.known !== undefined && played.skipped === undefined) known++;
    print(rowOf(played));
  } catch (error) {
    bad++;
    print([attack.name, `could not be played: ${messageOf(error)}`, '', '<--']);
  }
}
await closeInstallations();
const rest = known === 0 ? 'held off' : `held off, but for ${known} that are known`;
process.stdout.write(`${chosen.length} attacks: ${bad === 0 ? rest : `${bad} to look at`}\n`);
process.exitCode = bad === 0 ? 0 : 1;

function rowOf(played: Played): string[] {
  const { attack, skipped, open, walled, twin } = played;
  if (skipped !== undefined) return [attack.name, `not tried: ${skipped}`, '', ''];
  const hole = attack.known !== undefined && walled !== undefined && isTaken(walled) ? ` KNOWN: ${attack.known}` : '';
  const verdict = isAsExpected(played) ? hole : '  <--';
  return [attack.name, shown(open), shown(walled), `${attack.twin.name}: ${twin ?? 'works'}${verdict}`];
}

function shown(canary: Canary | undefined): string {
  return canary === undefined ? '' : `${canary.before} → ${canary.after}`;
}

function print([name = '', ...cells]: readonly string[]): void {
  process.stdout.write(`${name.padEnd(72)} | ${cells.map((cell) => cell.padEnd(26)).join(' | ')}\n`);
}
