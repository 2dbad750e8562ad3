/**
 * Every model that the body of a request names for work of the provider's, in whichever field: some have others answer where the first does not
 * (`models`, `fallbacks`), or asked for advice, or run by a tool (`tools[].model`). What is said in the conversation is none, nor what the schema
 * of a tool's arguments says.
 */
export function modelsNamedIn(body: Readonly<Record<string, unknown>>): readonly string[] {
  const names = new Set<string>();
  const left: unknown[] = [body];
  while (left.length > 0) {
    const value = left.pop();
    if (typeof value !== 'object' || value === null) continue;
    if (Array.isArray(value)) for (const one of value as readonly unknown[]) left.push(one);
    else for (const [key, inner] of Object.entries(value)) look(key, inner, { names, left });
  }
  return [...names];
}

function look(
  key: string,
  value: unknown,
  { names, left }: { readonly names: Set<string>; readonly left: unknown[] },
): void {
  // Some upstreams take no heed of how a name is written.
  const plain = key.toLowerCase().replaceAll(/[^a-z]/g, '');
  if (SAID.has(plain) || plain.endsWith('schema')) return;
  if (NAMING.test(plain)) for (const name of [value].flat()) if (typeof name === 'string') names.add(name);
  left.push(value);
}

const NAMING = /(?:models?|fallbacks?)$/;

/** The conversation, and what schemas consist of. */
const SAID: ReadonlySet<string> = new Set([
  'messages',
  'input',
  'contents',
  'system',
  'systeminstruction',
  'instructions',
  'inputexamples',
  'properties',
  'defs',
  'definitions',
]);
