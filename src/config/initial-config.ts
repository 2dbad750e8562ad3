import { stringify } from 'yaml';
import { formatDuration } from '../domain/units.ts';
import type { Detected } from './resolve.ts';

/**
 * The text of `.switchyard/config.yaml` as `init` writes it: what was detected, written out so that a person can see and change it,
 * and the rest as comments.
 */
export function initialConfig(detected: Detected & { readonly protected?: string | undefined }): string {
  return [
    '# How Switchyard works on this repository. Runs read it from the commit that they start from, so commit it.',
    ...checkLines(detected.checks),
    '# Makes a fresh checkout ready: a command, auto (by lock file) or none.',
    detected.setup === undefined ? '# setup: npm ci' : `setup: ${scalar(detected.setup)}`,
    '# Ignored files that runs receive from your checkout (copy), and those that checkpoints keep (carry).',
    '# workspace: { copy: [.env.development], carry: [] }',
    '# Bounds of a run. The machine that it runs on may set lower ones.',
    '# limits: { wall: 2h, silence: 15m, turns: 60, cost: 5 USD, tokens: 3M }',
    '# Not in force yet: the branch from which policy will be read.',
    detected.protected === undefined ? '# protected: main' : `protected: ${scalar(detected.protected)}`,
    '',
  ].join('\n');
}

function checkLines(checks: Detected['checks']): string[] {
  const head =
    '# What decides whether work is good: exit code 0 is a pass. `fix` mends, `changed` looks at {files} only.';
  if (checks.length === 0) {
    return [
      head,
      '# checks:',
      '#   test: { run: "make test", kind: test, timeout: 10m }',
      '#   lint: { run: "make lint", kind: lint, fix: "make format" }',
    ];
  }
  return [head, 'checks:', ...checks.map((check) => `  ${scalar(check.name)}: { ${fields(check)} }`)];
}

function fields(check: Detected['checks'][number]): string {
  const written = {
    run: quoted(check.run),
    kind: scalar(check.kind),
    timeout: check.timeoutMs === undefined ? undefined : formatDuration(check.timeoutMs),
    fix: check.fix === undefined ? undefined : quoted(check.fix),
    changed: check.changed === undefined ? undefined : quoted(check.changed),
  };
  return Object.entries(written)
    .filter(([, text]) => text !== undefined)
    .map(([name, text]) => `${name}: ${text}`)
    .join(', ');
}

/** JSON's quoting is YAML's within double quotes. */
function quoted(text: string): string {
  return JSON.stringify(text);
}

/** The shortest form that stays text and on one line. */
function scalar(text: string): string {
  const plain = stringify(text, { lineWidth: 0 }).trimEnd();
  return /[\n,[\]{}]/.test(plain) ? quoted(text) : plain;
}
