import type { WithValue } from '../domain/blueprint.ts';
import type { Path, SourceDocument } from './document.ts';
import { isMapping } from './issues.ts';
import type { Problem } from './problem.ts';

const REFERENCE = /^\$([a-z][a-z0-9-]*)\.([A-Za-z][A-Za-z0-9_-]*)$/;
/** The name before the dot that stands for the blueprint's inputs. */
export const INPUTS = 'inputs';

/** Reads `with` or `outputs`. Whether what a reference names exists is not looked at here. */
export function readValues(
  document: SourceDocument,
  path: Path,
  written: Readonly<Record<string, unknown>>,
): { values: Record<string, WithValue>; problems: Problem[] } {
  const values: Record<string, WithValue> = {};
  const problems: Problem[] = [];
  for (const [name, value] of Object.entries(written)) {
    const wrong = whatIsWrong(value);
    if (wrong === undefined) values[name] = readValue(value);
    else problems.push(document.problem([...path, name], ...wrong));
  }
  return { values, problems };
}

function readValue(written: unknown): WithValue {
  if (typeof written !== 'string') return { kind: 'literal', value: written };
  const [, node, output] = REFERENCE.exec(written) ?? [];
  if (node === undefined || output === undefined) {
    return { kind: 'literal', value: written.startsWith('$$') ? written.slice(1) : written };
  }
  return node === INPUTS ? { kind: 'input', input: output } : { kind: 'output', node, output };
}

function whatIsWrong(written: unknown): [message: string, hint: string] | undefined {
  if (typeof written === 'string') {
    if (!written.startsWith('$') || written.startsWith('$$') || REFERENCE.test(written)) return undefined;
    return [`"${written}" is no reference`, 'write $node.output or $inputs.name, or $$ for a dollar sign'];
  }
  const inner = innerReference(written);
  if (inner === undefined) return undefined;
  return [`the reference ${inner} stands inside a list or a mapping`, 'give it a name of its own'];
}

function innerReference(written: unknown): string | undefined {
  if (typeof written === 'string') return REFERENCE.test(written) ? written : undefined;
  if (!Array.isArray(written) && !isMapping(written)) return undefined;
  for (const inner of Object.values(written)) {
    const reference = innerReference(inner);
    if (reference !== undefined) return reference;
  }
  return undefined;
}
