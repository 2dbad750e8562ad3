// The shop's own rules, line by line: `node tools/lint.js [files]`. Exit code 1 when a rule is broken.
import { readdirSync, readFileSync } from 'node:fs';

const RULES = [
  {
    name: 'no-var',
    pattern: /^\s*(var)\s/,
    message: '"var" can be seen outside of its block',
    help: 'write const or let',
  },
  {
    name: 'no-console',
    pattern: /\b(console)\./,
    message: 'the shop does not print',
    help: 'remove it, or return the value',
  },
  {
    name: 'equality',
    pattern: /[^=!]([=!]=)[^=]/,
    message: '== and != convert what they compare',
    help: 'write === or !==',
  },
];

const named = process.argv.slice(2).filter((file) => /^src\/.*\.js$/.test(file));
const files = process.argv.length > 2 ? named : readdirSync('src').map((file) => `src/${file}`);
let broken = 0;
for (const file of files.sort()) {
  for (const [index, line] of readFileSync(file, 'utf8').split('\n').entries()) {
    for (const { name, pattern, message, help } of RULES) {
      const found = pattern.exec(line);
      if (found === null) continue;
      broken += 1;
      console.log(
        `${file}:${index + 1}:${line.indexOf(found[1], found.index) + 1}: error: ${message} [${name}]\n  help: ${help}`,
      );
    }
  }
}
console.log(broken === 0 ? 'No rule is broken.' : `${broken} broken.`);
process.exitCode = broken === 0 ? 0 : 1;
