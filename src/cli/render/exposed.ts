import type { ExposedLogin } from '../../domain/evidence.ts';

/** Whose login could be read by whatever ran in a run, and which file that is. */
export function exposedText({ agent, login }: ExposedLogin): string {
  return `the login of ${agent} (${login})`;
}
