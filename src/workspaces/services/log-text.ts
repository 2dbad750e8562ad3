import { printable } from '../../lib/printable.ts';

const LINES = 30;
const LONGEST_LINE = 400;

/** The last lines of a service's output as the run's journal may keep them: bounded, without what a terminal would obey, without secrets. */
export function logText(output: string): string {
  const lines = printable(withoutSecrets(output)).trimEnd().split('\n');
  const cut = lines
    .slice(-LINES)
    .map((line) => (line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)} […]` : line));
  return cut.join('\n');
}

const HIDDEN = '[hidden]';

/**
 * Hides what by its look is a secret: passwords in addresses, values that are named as secrets, keys and tokens in the forms that well-known
 * issuers give them. A secret that looks like anything else stays.
 */
export function withoutSecrets(text: string): string {
  return text
    .replace(/([a-z][a-z0-9+.-]*:\/\/[^\s:/@]*:)[^\s/@]+@/gi, `$1${HIDDEN}@`)
    .replace(
      /((?:[\w-]*(?:passw(?:or)?d|secret|token|api[_-]?key|access[_-]?key|private[_-]?key))["']?\s*[=:]\s*["']?)(?:bearer\s+)?[^\s"',;&]+/gi,
      `$1${HIDDEN}`,
    )
    .replace(/\b(bearer|basic)\s+[A-Za-z0-9._~+/-]{16,}=*/gi, `$1 ${HIDDEN}`)
    .replace(
      /\b(?:sk-[\w-]{16,}|gh[opusr]_\w{20,}|github_pat_\w{20,}|xox[a-z]-[\w-]{10,}|AKIA[A-Z0-9]{12,}|eyJ[\w-]{10,}\.[\w-]+\.[\w-]+)/g,
      HIDDEN,
    )
    .replace(/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, HIDDEN);
}
