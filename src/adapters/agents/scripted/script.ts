import { type Document, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { Duration } from '../../../domain/units.ts';
import type { Action } from './play.ts';

const InnerPath = z
  .string()
  .min(1)
  .refine((path) => !path.startsWith('/') && !path.split('/').includes('..'), 'write a path within the workspace');

/** One thing that the agent does. */
const WrittenAction = z
  .strictObject({
    write: z.strictObject({ path: InnerPath, text: z.string() }).optional(),
    run: z.string().min(1).optional(),
    say: z.string().optional(),
    sleep: Duration.optional(),
    commit: z.string().min(1).optional(),
    hang: z.literal(true).optional(),
    exit: z.int().min(0).max(255).optional(),
  })
  .refine(
    (action) => Object.keys(action).length === 1,
    'each action is one of write, run, say, sleep, commit, hang, exit',
  );

/** For each node of a blueprint the actions of its first step, of its second, and so on. */
const WrittenScript = z.strictObject({
  steps: z.record(z.string(), z.array(z.array(WrittenAction))),
});

export type Script = Readonly<Record<string, readonly (readonly Action[])[]>>;

/** The script in a file's text, or every problem that it has, each as `FILE:LINE: what is wrong`. */
export function parseScript(
  text: string,
  file: string,
): { ok: true; script: Script } | { ok: false; problems: readonly string[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const problem = (offset: number, message: string) => `${file}:${lines.linePos(offset).line || 1}: ${message}`;
  if (document.errors.length > 0) {
    return { ok: false, problems: document.errors.map((error) => problem(error.pos[0], error.message)) };
  }
  const script = WrittenScript.safeDecode(document.toJS() as never);
  if (script.success) return { ok: true, script: script.data.steps as Script };
  return {
    ok: false,
    problems: script.error.issues.map((issue) => problem(offsetOf(document, issue.path), describe(issue))),
  };
}

function describe(issue: z.core.$ZodIssue): string {
  const place = issue.path.length === 0 ? '' : `${issue.path.join('.')}: `;
  return `${place}${issue.message}`;
}

/** Where the value at that path stands; for one that is missing, the nearest that should hold it. */
function offsetOf(document: Document.Parsed, path: readonly PropertyKey[]): number {
  for (let length = path.length; length >= 0; length--) {
    const node: unknown = document.getIn(path.slice(0, length), true);
    if (typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range))
      return Number(node.range[0]);
  }
  return 0;
}
