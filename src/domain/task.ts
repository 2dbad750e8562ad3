import { z } from 'zod';

/** The longest text that a task may have, in bytes of UTF-8; longer ones are refused before anything starts. */
export const TASK_TEXT_LIMIT = 512 * 1024;

/** A base in one repository. A task may span several; a run works on the first. */
export const TaskRepository = z.object({ repository: z.string(), baseRef: z.string() });

export const Attachment = z.object({ name: z.string(), blob: z.string(), mediaType: z.string() });

/** What is asked. Dependencies are ids of other tasks. One `origin` never makes two tasks. */
export const Task = z.object({
  id: z.string(),
  title: z.string(),
  body: z.string(),
  links: z.array(z.string()),
  attachments: z.array(Attachment),
  repositories: z.array(TaskRepository).min(1),
  labels: z.array(z.string()),
  priority: z.int(),
  requester: z.string(),
  dependencies: z.array(z.string()),
  origin: z.string().nullable(),
});
export type Task = z.infer<typeof Task>;

/** The first line, shortened, is the title; the whole text is the body. */
export function titleOf(text: string): string {
  const line = text.trim().split('\n', 1)[0]?.trim() ?? '';
  return line.length <= 72 ? line : `${line.slice(0, 71).trimEnd()}…`;
}

const LONGEST_SLUG = 40;

/**
 * A short name for branches and folders: lower-case words of the title, at most 40 characters. ASCII where the title has such a word;
 * else the letters of its own script, which git and file systems take as well.
 */
export function slugOf(title: string): string {
  const plain = title.normalize('NFKD').replace(/[\u0300-\u036f]/g, '');
  const ascii = words(plain, /[^a-z0-9]+/g);
  if (/[a-z0-9]{2}/.test(ascii)) return ascii;
  const own = words(title.normalize('NFC'), /[^\p{L}\p{M}\p{N}]+/gu);
  return own === '' ? 'task' : own;
}

/** What lies between words becomes a dash; characters are never cut in two. */
function words(text: string, between: RegExp): string {
  const dashed = text.toLowerCase().replace(between, '-');
  return Array.from(dashed)
    .slice(0, LONGEST_SLUG)
    .join('')
    .replace(/^-+|-+$/g, '');
}
