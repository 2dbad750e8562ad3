import { expect, test } from 'vitest';
import type { AgentEntry } from '../../src/domain/agent-entry.ts';
import type { SandboxLevel } from '../../src/domain/sandbox.ts';
import { type ModelReply, startModelServer, toolsUsed } from '../../src/testing/model-server.ts';
import { tempRepository } from '../../src/testing/temp-repository.ts';
import { Installation } from '../support/installation.ts';

export interface RealAgent {
  readonly kind: AgentEntry['kind'];
  readonly command: string;
  readonly model: string;
  readonly api: NonNullable<AgentEntry['endpoint']>['api'];
  /** How its model has it run a command. */
  readonly run: (command: string) => ModelReply;
  /** The walls that it works in; undefined: those that the machine chooses. */
  readonly sandbox?: SandboxLevel;
  /** Where its model is a cloud's, which signs requests itself: no key then. */
  readonly cloud?: NonNullable<AgentEntry['endpoint']>['cloud'];
  /** What else the machine's configuration says. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Set for the daemon. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Prints why it is not satisfied; the model of this test answers to these words and to nothing else. */
const CHECK = `sh -c 'found=$(cat answer.txt); if [ "$found" = 42 ]; then exit 0; fi; echo "answer.txt:1: expected 42 but found $found"; exit 1'`;

/** Registers, with vitest, the main job of a real agent through the real daemon. */
export function fixesWhatTheCheckFinds(agent: RealAgent): void {
  const { kind, command, model: modelName, api, run: runs, sandbox, cloud } = agent;
  const where = sandbox === undefined ? 'in the walls of this machine’s choice' : `at the sandbox level ${sandbox}`;
  test(`real ${kind} fails the check, resumes its session with the real output, passes, is approved and merged, ${cloud === undefined ? '' : `by way of ${cloud.kind}, `}${where}`, {
    timeout: sandbox === 'container' ? 240_000 : 120_000,
  }, async () => {
    await using model = await startModelServer((request) => {
      const asked = request.messages.findLast((message) => message.role === 'user')?.text ?? '';
      if (toolsUsed(request) > 0) return { text: 'I have written the file.' };
      const found = /expected (\d+) but found/.exec(asked)?.[1];
      return runs(`printf '%s' ${found ?? '41'} > answer.txt`);
    });
    await using repository = await tempRepository({
      'README.md': 'x\n',
      '.switchyard/config.yaml': `checks:\n  answer: { run: ${JSON.stringify(CHECK)}, kind: test }\nsetup: none\n`,
    });
    const endpoint =
      cloud === undefined
        ? { api, baseUrl: model.baseUrl, key: { env: 'MODEL_KEY' } }
        : { api, baseUrl: new URL(model.baseUrl).origin, cloud };
    await using installation = await Installation.create({
      config: JSON.stringify({
        ...agent.config,
        agents: { [kind]: { kind, command: [command], model: modelName, endpoint } },
      }),
      sandbox,
      env: { ...agent.env, MODEL_KEY: 'a-key-for-the-test' },
    });
    const started = await installation.cli(
      ['run', 'Write the answer to answer.txt', '--blueprint', 'minion', '--json'],
      {
        cwd: repository.path,
      },
    );
    expect(started.stderr).toBe('');
    expect(started.code).toBe(3);
    const { run } = JSON.parse(started.stdout.split('\n')[0] ?? '{}') as { run: string };
    const parked = await installation.show(run);
    expect(parked.steps.map((step) => `${step.node}:${step.outcome ?? '-'}`)).toEqual([
      'implement:done',
      'lint:missing',
      'ci:fail',
      'fix-ci:done',
      'ci:pass',
      'open-pr:delivered',
      'review:-',
    ]);

    const journal = model.requests();
    const resumed = journal.find((request) =>
      request.messages.some((message) => message.text.includes('expected 42 but found 41')),
    );
    expect(resumed, 'the request of the fix step').toBeDefined();
    const texts = resumed?.messages.map((message) => message.text).join('\n') ?? '';
    expect(texts).toContain('Write the answer to answer.txt');
    expect(texts).toContain('I have written the file.');
    if (process.env['SHOW_JOURNAL'] !== undefined) show(journal);

    expect((await installation.cli(['approve', run, '--head', parked.head])).code).toBe(0);
    expect((await installation.settled(run)).state.kind).toBe('succeeded');
    expect((await installation.cli(['merge', run])).code).toBe(0);
    expect(await repository.git('show', 'main:answer.txt')).toBe('42');
    expect((await installation.show(run)).usage.input).toBeGreaterThan(0);
  });
}

function show(journal: ReturnType<Awaited<ReturnType<typeof startModelServer>>['requests']>): void {
  for (const [index, request] of journal.entries()) {
    const lines = request.messages.map(
      (message) => `    ${message.role.padEnd(10)} ${message.text.replace(/\s+/g, ' ').slice(0, 160)}`,
    );
    process.stdout.write(
      `request ${index + 1} (${request.model}), ${request.messages.length} messages\n${lines.join('\n')}\n`,
    );
  }
}
