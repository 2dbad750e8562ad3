import type { Problem } from '../blueprint/problem.ts';
import type { Task } from '../domain/task.ts';
import { fenced } from './fence.ts';
import { isSomething, renderTemplate, templateNames, templateProblems, textOf } from './template.ts';

export interface PromptRequest {
  /** The text of the node's prompt file; without one, the prompt is made of the task and `with`. */
  readonly template?: string | undefined;
  readonly task: Pick<Task, 'title' | 'body' | 'links'>;
  /** The node's `with`. What is null or empty is left out. */
  readonly with: Readonly<Record<string, unknown>>;
  readonly node: string;
  /** What `{{run.…}}` shows. */
  readonly run?: Readonly<Record<string, unknown>> | undefined;
  /** Whether the agent goes on with a session in which it has already read the task. */
  readonly resumed?: boolean | undefined;
}

export interface AssembledPrompt {
  readonly text: string;
  /** What was cut, one sentence each. */
  readonly notes: readonly string[];
}

const MAX_VALUE = 64 * 1024;
const MAX_VALUES = 512 * 1024;
const MAX_PROMPT = 1024 * 1024;

/** Names that every prompt may use, besides those in the node's `with` (as `{{name}}` or `{{with.name}}`) and `{{run.…}}`. */
const TASK_NAMES = ['task.title', 'task.body', 'task.links', 'node'];
const RUN_NAMES = ['run.id', 'run.slug', 'run.base', 'run.target', 'run.branch'];
const ROOTS = ['task', 'with', 'run', 'node'];

/** What is wrong with a prompt file for a node whose `with` gives these names. */
export function promptProblems(source: { file: string; text: string }, withNames: readonly string[]): Problem[] {
  const names = [...TASK_NAMES, ...RUN_NAMES, ...withNames, ...withNames.map((name) => `with.${name}`)];
  const isKnown = (name: string) =>
    names.some((candidate) => name === candidate || (isOfWith(candidate) && name.startsWith(`${candidate}.`)));
  return templateProblems(source, isKnown, names);
}

function isOfWith(name: string): boolean {
  return !TASK_NAMES.includes(name) && !RUN_NAMES.includes(name);
}

/**
 * What an agent is told: the node's prompt file filled in, else the task. Values of `with` that the file does not show follow it in
 * sections of their own, so that nothing that was handed on is lost. Bounded; the notes say what was cut.
 */
export function assemblePrompt(request: PromptRequest): AssembledPrompt {
  const notes: string[] = [];
  const something = Object.entries(request.with).filter(([, value]) => isSomething(value));
  const most = Math.min(MAX_VALUE, Math.floor(MAX_VALUES / something.length));
  const given = something.map(([name, value]) => [name, bounded(name, value, { most, notes })] as const);
  const values = {
    ...Object.fromEntries(given),
    task: request.task,
    with: Object.fromEntries(given),
    run: request.run ?? {},
    node: request.node,
  };
  const parts =
    request.template === undefined
      ? [opening(request, given.length > 0), ...given.map(([name, value]) => section(name, value)), CLOSING]
      : [
          renderTemplate(request.template, values),
          ...unshown(request.template, given).map(([name, value]) => section(name, value)),
        ];
  const text = parts
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .join('\n\n')
    // No argument of a program can hold it.
    .replaceAll('\0', '');
  return { text: `${cut(text, { most: MAX_PROMPT, what: 'the prompt', notes })}\n`, notes };
}

const CLOSING = `Change what is needed in the working tree and nothing besides; do not weaken, skip or delete a test, a check or a rule to get
past it. You need not commit; do not push. Nobody answers questions meanwhile: where something is left open, choose and say so.`;

function opening({ task, resumed }: PromptRequest, somethingNew: boolean): string {
  if (resumed === true) {
    return somethingNew ? `There is news on your task "${task.title}".` : `Go on with your task "${task.title}".`;
  }
  const body = task.body.trim() === task.title.trim() ? '' : task.body.trim();
  const links = task.links.length === 0 ? '' : `Links:\n${task.links.map((link) => `- ${link}`).join('\n')}`;
  return [`# ${task.title}`, body, links].filter((part) => part !== '').join('\n\n');
}

const HEADINGS: ReadonlyMap<string, string> = new Map([
  ['failure', 'What failed'],
  ['failures', 'What failed'],
  ['review', 'What the reviewer asks for'],
  ['feedback', 'What was said about it'],
  ['findings', 'What the review found'],
  ['note', 'A note from a person'],
  ['plan', 'The plan'],
]);

function section(name: string, value: unknown): string {
  const words = name.replace(/[-_]+/g, ' ');
  const heading = HEADINGS.get(name) ?? `${words.slice(0, 1).toUpperCase()}${words.slice(1)}`;
  return `## ${heading}\n\n${fenced(textOf(value))}`;
}

/** What of `with` a template has no place for. */
function unshown(template: string, given: readonly (readonly [string, unknown])[]): (readonly [string, unknown])[] {
  const used = new Set(
    templateNames(template).map(({ name }) => name.split('.').slice(name.startsWith('with.') ? 1 : 0)[0]),
  );
  return given.filter(([name]) => !used.has(name) || ROOTS.includes(name));
}

/** A value as it is, or its text cut in the middle where that is too long. */
function bounded(name: string, value: unknown, { most, notes }: { most: number; notes: string[] }): unknown {
  const text = textOf(value);
  return text.length <= most ? value : cut(text, { most, what: JSON.stringify(name), notes });
}

/** Beginning and end of a text that is too long. */
function cut(text: string, { most, what, notes }: { most: number; what: string; notes: string[] }): string {
  if (text.length <= most) return text;
  const half = Math.floor(most / 2);
  const left = text.length - 2 * half;
  notes.push(`${what} was cut: ${left} of ${text.length} characters in its middle were left out`);
  return `${text.slice(0, half).toWellFormed()}\n[… ${left} characters were left out …]\n${text.slice(-half).toWellFormed()}`;
}
