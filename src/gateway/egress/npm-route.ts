import { credentialFor, type NpmSettings } from './npmrc.ts';

/** Where a request for an npm registry leads. */
export type NpmRoute =
  | { readonly kind: 'onward'; readonly url: URL; readonly authorization: string | undefined }
  | { readonly kind: 'refused'; readonly why: string };

export type NpmPlaces = Pick<NpmSettings, 'scopes' | 'credentials'> & { readonly registry: URL };

/**
 * Programs know one registry, at the root of an address of theirs. Leads a request to the registry of its scope, else to the default one, with the credential that belongs there. A credential is often
 * good for more than packages: so what goes out is reading of packages, within the registry's own path, and asking after their audits.
 */
export function npmRoute(places: NpmPlaces, { method, target }: { method: string; target: string }): NpmRoute {
  const asked = target.startsWith('/') ? URL.parse(`http://inside${target}`) : null;
  if (asked?.hostname !== 'inside' || isAmbiguous(asked.pathname)) return { kind: 'refused', why: NO_PATH };
  const registry = registryFor(places, asked.pathname);
  const path = pathAt(registry, asked.pathname);
  const rest = path.startsWith(registry.pathname) ? path.slice(registry.pathname.length) : undefined;
  const isReading = method === 'GET' || method === 'HEAD';
  const isPackage = (rest !== undefined && !/^-(\/|$)/.test(rest)) || TARBALL.test(path);
  const isOpen = isReading ? isPackage || READ.test(rest ?? '') : method === 'POST' && AUDIT.test(rest ?? '');
  if (!isOpen) return { kind: 'refused', why: NO_MORE };
  const url = new URL(`${path}${asked.search}`, registry);
  return { kind: 'onward', url, authorization: credentialFor(places, url)?.authorization };
}

const NO_PATH = 'This is a package registry: what is asked for is no path of one.';
const NO_MORE = 'The sandbox of this run lets packages be read from this registry, and nothing be changed there.';

const TARBALL = /\/-\/(?:@[^/]+\/)?[^/]+\.t(?:ar\.)?gz$/;
const READ =
  /^-\/(?:ping$|v1\/search$|npm\/v1\/(?:keys|attestations\/.+|security\/.+)$|package\/[^/]+(?:\/[^/]+)?\/dist-tags$)/;
const AUDIT = /^-\/npm\/v1\/security\/(?:audits(?:\/quick)?|advisories\/bulk)$/;

/** A path that a server could read as another one. */
function isAmbiguous(path: string): boolean {
  if (/%(?!2f|40)/i.test(path) || path.includes('\\')) return true;
  return path
    .replaceAll(/%2f/gi, '/')
    .split('/')
    .some((part, at, { length }) => part === '.' || part === '..' || (part === '' && at > 0 && at < length - 1));
}

function registryFor({ scopes, registry }: NpmPlaces, path: string): URL {
  const [, scope = ''] = /\/(?:@|%40)([^/%@]+)(?:\/|%2f)/i.exec(path) ?? [];
  return scopes.get(`@${scope.toLowerCase()}`) ?? registry;
}

/**
 * What stands at the root for programs stands at the registry's own path; so does what a lock file says of another registry. Addresses in
 * the registry's answers, of which clients change the host alone, have that path already, or another one of that host.
 */
function pathAt({ pathname }: URL, path: string): string {
  return !path.startsWith(pathname) && AT_ROOT.test(path) ? `${pathname}${path.slice(1)}` : path;
}

const AT_ROOT = /^\/(?:-\/.*|(?:(?:@|%40)[^/%]+(?:\/|%2f))?[^/%]+(?:\/[^/]+|\/-\/(?:@[^/]+\/)?[^/]+)?)$/i;
