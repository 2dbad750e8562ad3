import { fileURLToPath } from 'node:url';
import { runProgram } from '../../../src/lib/exec/run-program.ts';
import { Claims, type ClaimsParts } from './claims.ts';
import { type ClaimFigures, measureClaims, type Rounds } from './rounds.ts';

const self = fileURLToPath(import.meta.url);

/** The same claims by an ordinary user, whose the folder is. Why not, where this machine does not let them. */
export async function measureAsUser(
  parts: ClaimsParts,
  { uid, rounds, signal }: { uid: number; rounds: Rounds; signal: AbortSignal },
): Promise<ClaimFigures | { readonly missing: string }> {
  const env = { PATH: process.env['PATH'] ?? '/usr/bin:/bin', HOME: parts.folder, TMPDIR: parts.folder };
  const args = [
    `--reuid=${uid}`,
    `--regid=${uid}`,
    '--clear-groups',
    process.execPath,
    self,
    JSON.stringify([parts, rounds]),
  ];
  const program = { file: 'setpriv', args, cwd: parts.folder, env, input: undefined, signal };
  const { code, stdout, stderr } = await runProgram(program);
  if (code !== 0) return { missing: stderr.trim().split('\n').at(-1) ?? `it ended with ${code}` };
  return JSON.parse(stdout.toString()) as ClaimFigures;
}

const [, script, text] = process.argv;
if (script === self && text !== undefined) {
  const [parts, rounds] = JSON.parse(text) as [ClaimsParts, Rounds];
  try {
    await using claims = await Claims.begin(parts, new AbortController().signal);
    process.stdout.write(JSON.stringify(await measureClaims(claims, parts, rounds)));
  } catch (error) {
    process.stderr.write(`${String(error)}\n`);
    process.exitCode = 1;
  }
}
