import { expect, test } from 'vitest';
import type { AgentTurn } from './agent.ts';
import { findProgram } from './agent-program.ts';

const AGENT = { name: 'no-such-agent', install: 'npm install agent' };

function turn(command: string[] | undefined, hasOwnPrograms?: boolean): AgentTurn {
  return {
    entry: { kind: 'custom', args: [], env: {}, ...(command === undefined ? {} : { command }) },
    prompt: '',
    folder: '/',
    home: '/',
    inside: { folder: '/', home: '/' },
    ...(hasOwnPrograms === undefined ? {} : { hasOwnPrograms }),
    session: { kind: 'new' },
    run: 'r',
    node: 'n',
    step: 1,
    hostEnv: { PATH: '/usr/bin:/bin' },
  };
}

test('a name is looked for on this host’s PATH, and one that is not there is refused', async () => {
  expect(await findProgram(turn(['env', '-x']), AGENT)).toEqual(['/usr/bin/env', '-x']);
  await expect(findProgram(turn(undefined), AGENT)).rejects.toMatchObject({ code: 'agent/not-found' });
});

test('where walls have programs of their own a name stays one, and a path is a file of this host', async () => {
  expect(await findProgram(turn(undefined, true), AGENT)).toEqual(['no-such-agent']);
  expect(await findProgram(turn(['env', '-x'], true), AGENT)).toEqual(['env', '-x']);
  expect(await findProgram(turn(['/usr/bin/env'], true), AGENT)).toEqual(['/usr/bin/env']);
  await expect(findProgram(turn(['/nowhere/agent'], true), AGENT)).rejects.toMatchObject({ code: 'agent/not-found' });
});
