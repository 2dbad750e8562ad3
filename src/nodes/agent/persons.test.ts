import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../lib/clock.ts';
import type { PersonsMessage, PersonsMessages, StepContext } from '../../ports/node.ts';
import { type TempFolder, tempFolder } from '../../testing/temp-repository.ts';
import { type Step, type StepRequest, step } from './conversation-fixture.ts';
import { DONE, HANG, line } from './drive-fixture.ts';
import { execute } from './execute.ts';

let temp: TempFolder;
beforeEach(async () => {
  temp = await tempFolder();
});
afterEach(async () => temp[Symbol.asyncDispose]());

const SESSION = line({ kind: 'session', id: 's1' });
const WORK = 'echo work >> work';
const ANSWER = line({ kind: 'text', text: 'On it.' });
const ada = (text: string, again = false): PersonsMessage => ({ from: 'ada', text, again });

interface Said {
  /** What each call of `take` gives. */
  readonly takes?: readonly (readonly PersonsMessage[])[];
  /** Resolves when a turn is to be interrupted. */
  readonly urgent?: Promise<unknown>;
  /** Which one; the first if not given. */
  readonly urgentTurn?: number;
}

/** A step to which persons say something, and how often what they said was heard. */
async function spokenTo(
  request: Omit<StepRequest, 'folder' | 'clock'>,
  { takes = [], urgent, urgentTurn = 1 }: Said,
): Promise<Step & { readonly heard: number[] }> {
  const made = await step({ folder: temp.path, clock: systemClock, ...request });
  const heard: number[] = [];
  let taken = 0;
  let asked = 0;
  const messages: PersonsMessages = {
    take: async () => takes[taken++] ?? [],
    heard: async () => void heard.push(made.turns.length),
    urgent: (signal) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => resolve(false), { once: true });
        if (++asked === urgentTurn) void urgent?.then(() => resolve(true));
      }),
  };
  const context: StepContext = { ...made.context, messages };
  return { ...made, context, heard };
}

test('what was said before the step begins is a part of what it is told first', async () => {
  const made = await spokenTo({ scripts: [[SESSION, WORK, DONE]] }, { takes: [[ada('mind the tabs')]] });
  expect(await execute(made.context)).toMatchObject({ outcome: 'done' });
  expect(made.turns).toHaveLength(1);
  expect(made.turns[0]?.prompt).toMatch(/^# Fix it\n.*\nada says:\n\nmind the tabs\n$/s);
});

test('what is said meanwhile is a further turn, in the session; what was told before is said to be so', async () => {
  const made = await spokenTo(
    {
      scripts: [
        [SESSION, WORK, DONE],
        [WORK, DONE],
      ],
    },
    { takes: [[], [ada('one', true), ada('two')]] },
  );
  expect(await execute(made.context)).toMatchObject({ outcome: 'done' });
  const [, second] = made.turns;
  expect(made.turns).toHaveLength(2);
  expect(second).toMatchObject({
    session: { kind: 'resume', id: 's1' },
    prompt: 'ada says (you may have been told this before):\n\none\n\nada says:\n\ntwo\n',
  });
  expect(made.heard).toEqual([1, 2]);
});

/** Plays the step; its first turn that tells such an event is interrupted then. */
async function interruptedAt(
  kind: 'agent.session' | 'agent.text',
  { first, takes }: { first: readonly string[]; takes: Said['takes'] & object },
): Promise<Awaited<ReturnType<typeof spokenTo>>> {
  const urgent = Promise.withResolvers<undefined>();
  const made = await spokenTo({ scripts: [first, [WORK, DONE]] }, { takes, urgent: urgent.promise });
  const ending = execute({
    ...made.context,
    emit: async (event) => (event.kind === kind ? urgent.resolve(undefined) : undefined),
  });
  expect(await ending).toMatchObject({ outcome: 'done' });
  return made;
}

test('a turn that is interrupted for a message goes on with it; what it did is kept, and it has heard what it was told', async () => {
  const made = await interruptedAt('agent.text', { first: [SESSION, WORK, ANSWER, HANG], takes: [[], [ada('stop')]] });
  expect(made.turns[1]).toMatchObject({ session: { kind: 'resume', id: 's1' } });
  expect(made.turns[1]?.prompt).toMatch(/^You were stopped in the middle of your turn.*ada says:\n\nstop\n$/s);
  expect(made.turns[1]?.prompt).not.toContain('# Fix it');
  expect(made.heard).toEqual([1, 2]);
});

test('one that is interrupted before the agent has answered has heard nothing: all of it is said again, once', async () => {
  const made = await interruptedAt('agent.session', {
    first: [SESSION, HANG],
    takes: [[ada('mind the tabs')], [ada('mind the tabs', true), ada('stop')]],
  });
  expect(made.turns[1]).toMatchObject({ session: { kind: 'resume', id: 's1' } });
  expect(made.turns[1]?.prompt).toMatch(/^# Fix it\n.*\nada says:\n\nmind the tabs\n\nada says:\n\nstop\n$/s);
  expect(made.turns[1]?.prompt.match(/mind the tabs/g)).toHaveLength(1);
  expect(made.heard).toEqual([2]);
});

test('a turn in a resumed session that is interrupted at once has not heard its message, which is told with the next', async () => {
  const made = await spokenTo(
    {
      scripts: [[SESSION, WORK, DONE], [HANG], [WORK, DONE]],
    },
    { takes: [[], [ada('one')], [ada('one', true), ada('two')]], urgent: Promise.resolve(), urgentTurn: 2 },
  );
  expect(await execute(made.context)).toMatchObject({ outcome: 'done' });
  expect(made.turns.at(-1)).toMatchObject({
    session: { kind: 'resume', id: 's1' },
    prompt: 'ada says:\n\none\n\nada says:\n\ntwo\n',
  });
  expect(made.heard.map((after) => after === made.turns.length)).toEqual([false, true]);
});

test('one that is interrupted before it has a session is asked again, with the message, and has heard nothing', async () => {
  const made = await spokenTo(
    { scripts: [[HANG], [SESSION, WORK, DONE]] },
    { takes: [[], [ada('stop')]], urgent: Promise.resolve() },
  );
  expect(await execute(made.context)).toMatchObject({ outcome: 'done' });
  expect(made.turns[1]).toMatchObject({ session: { kind: 'new' } });
  expect(made.turns[1]?.prompt).toMatch(/# Fix it\n.*ada says:\n\nstop\n$/s);
  expect(made.heard).toEqual([2]);
});

test('a turn that failed for good hears nothing, and no further one is begun for a message', async () => {
  const failed = line({
    kind: 'end',
    result: { kind: 'failed', failure: { class: 'auth', message: 'no', hint: 'Sign in.' } },
  });
  const made = await spokenTo({ scripts: [[SESSION, failed]] }, { takes: [[ada('hello')], [ada('hello', true)]] });
  expect(await execute(made.context)).toMatchObject({ outcome: 'error' });
  expect(made.turns).toHaveLength(1);
  expect(made.heard).toEqual([]);
});

const followUp = async (standing: 'own' | 'inherited' | 'handed-over' | undefined) => {
  const made = await spokenTo({ scripts: [[SESSION, DONE]] }, { takes: [[ada('the docs too')]] });
  const { step: facts, agents, run } = made.context;
  const result = await execute({
    ...made.context,
    run: { ...run, base: { ...run.base, commit: 'an earlier commit' } },
    step: { ...facts, followUp: true },
    agents: {
      ...agents,
      session: async (node) =>
        node === facts.node && standing !== undefined ? { agent: 'sh', id: 's0', standing } : undefined,
    },
  });
  return { result, told: made.turns[0] };
};

test.each([
  ['own', { kind: 'resume', id: 's0' }, /^ada says:\n\nthe docs too\n$/],
  ['inherited', { kind: 'fork', id: 's0' }, /^ada says:\n\nthe docs too\n$/],
  [
    'handed-over',
    { kind: 'new' },
    /^Another agent has worked on this before you.*A summary\..*# Fix it.*ada says:\n\nthe docs too\n$/s,
  ],
  [undefined, { kind: 'new' }, /^You have worked on this before.*A summary\..*# Fix it.*ada says:\n\nthe docs too\n$/s],
] as const)('a step that was made for a message, with a session that is %s', async (standing, session, prompt) => {
  const { result, told } = await followUp(standing);
  expect(told?.session).toEqual(session);
  expect(told?.prompt).toMatch(prompt);
  // Nothing has changed, which is an answer as well.
  expect(result).toMatchObject({ outcome: 'done' });
});
