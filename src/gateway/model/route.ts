import type { Route, Wire } from './wire.ts';

/** Where a request leads. `path` is what is below the base address. */
export type Routed =
  | { readonly kind: 'onward'; readonly url: URL; readonly route: Route; readonly path: string }
  | { readonly kind: 'refused'; readonly why: string };

/** Leads a request to the upstream's own address, if it is one of those that the protocol needs. */
export function routed(wire: Wire, base: URL, { method, target }: { method: string; target: string }): Routed {
  const asked = target.startsWith('/') && !target.startsWith('//') ? URL.parse(`http://inside${target}`) : null;
  if (asked?.hostname !== 'inside')
    return { kind: 'refused', why: 'This is a way to one model server: it takes paths of its alone.' };
  const rest = belowBase(base, asked.pathname);
  const route = wire.route(method, rest);
  if (route === undefined)
    return {
      kind: 'refused',
      why: `${method} ${asked.pathname} is not needed to talk to a model, and is not let through.`,
    };
  const url = new URL(base);
  url.pathname = `${withoutEnd(base.pathname)}${rest}`;
  // What the base address says of itself, such as the version of its interface, stays.
  for (const [name, value] of asked.searchParams)
    if (!base.searchParams.has(name) && isHarmless(name.toLowerCase(), value)) url.searchParams.append(name, value);
  return { kind: 'onward', url, route, path: rest };
}

/** Answers that can be counted, and nobody's credential: some protocols take all of it as parameters, with a `$` before it too. */
function isHarmless(name: string, value: string): boolean {
  const plain = name.replace(/^\$\.?/, '');
  return !LEFT_OUT.has(plain) && (plain !== 'alt' || value === 'sse' || value === 'json');
}

const LEFT_OUT: ReadonlySet<string> = new Set([
  'key',
  'api_key',
  'api-key',
  'apikey',
  'access_token',
  'oauth_token',
  'x-goog-api-key',
  // Headers, and another method than was looked at.
  'httpheaders',
  'httpmethod',
  // An answer without what it says of its use, or one that is a program around it.
  'fields',
  'callback',
  'jsonp',
]);

/** Clients are told the base address, or one without the version at its end that they add themselves. */
function belowBase(base: URL, path: string): string {
  const own = withoutEnd(base.pathname);
  if (path === own || path.startsWith(`${own}/`)) return path.slice(own.length) || '/';
  return path;
}

const withoutEnd = (path: string): string => path.replace(/\/+$/, '');
