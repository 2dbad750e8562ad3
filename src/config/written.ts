import { parse } from 'yaml';

/** Which keys a configuration file says itself, whatever stands at its default; none where it cannot be read as YAML. */
export function writtenKeys(text: string): (...path: readonly string[]) => boolean {
  const document = parsed(text);
  return (...path) => has(document, path);
}

function parsed(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return undefined; // said, with its line, by whoever loads the file
  }
}

function has(value: unknown, [key, ...rest]: readonly string[]): boolean {
  if (key === undefined) return true;
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return false;
  return has((value as Record<string, unknown>)[key], rest);
}
