import { printable, printableLine } from '../lib/printable.ts';
import { renderTemplate, type TemplateValues } from './template.ts';

const MAX_SUBJECT = 100;
const MAX_BODY = 16 * 1024;

/**
 * The message of a commit by a template; the task's title where there is none or it comes out empty. One subject line, then a body,
 * without what would change the meaning of a log. Trailers are added by whoever commits.
 */
export function commitMessage(
  template: string | undefined,
  values: TemplateValues & { readonly task: { readonly title: string } },
): string {
  const written = printable(renderTemplate(template ?? '', values)).trim();
  const [first = '', ...rest] = written.split('\n');
  const subject = printableLine(first) || printableLine(values.task.title) || 'Change';
  const body = rest.join('\n').trim().slice(0, MAX_BODY);
  const line = subject.length <= MAX_SUBJECT ? subject : `${subject.slice(0, MAX_SUBJECT - 1).trimEnd()}…`;
  return body === '' ? `${line}\n` : `${line}\n\n${body}\n`;
}
