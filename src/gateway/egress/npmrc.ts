import type { Environment } from './company-proxy.ts';

/** What npm's configuration of a machine says about registries. */
export interface NpmSettings {
  /** The default registry; undefined where none is set. */
  readonly registry: URL | undefined;
  /** `@scope` to its registry. */
  readonly scopes: ReadonlyMap<string, URL>;
  readonly credentials: readonly NpmCredential[];
  /** Path of the file with the authorities that its registries are verified by. */
  readonly cafile: string | undefined;
}

export interface NpmCredential {
  /** `//host[:port]/path/`: what it is for. */
  readonly place: string;
  /** The value of `Authorization`. */
  readonly authorization: string;
}

/** Reads the text of a user's `.npmrc`, and what variables (`npm_config_…`) say instead. */
export function readNpmSettings(text: string, env: Environment): NpmSettings {
  const values = new Map([...linesOf(text, env), ...variablesOf(env)]);
  const scopes = [...values].flatMap(([key, value]): [string, URL][] => {
    const [, scope] = /^(@[^:/]+):registry$/.exec(key) ?? [];
    const url = registryUrl(value);
    return scope === undefined || url === undefined ? [] : [[scope.toLowerCase(), url]];
  });
  const places = new Set([...values.keys()].flatMap((key) => /^(\/\/.*?\/?):_?[A-Za-z]+$/.exec(key)?.[1] ?? []));
  return {
    registry: registryUrl(values.get('registry')),
    scopes: new Map(scopes),
    credentials: [...places].flatMap((place) => {
      const authorization = authorizationAt(place, values);
      return authorization === undefined ? [] : [{ place: place.endsWith('/') ? place : `${place}/`, authorization }];
    }),
    cafile: values.get('cafile'),
  };
}

/** The credential for an address, by the longest place that it lies in. */
export function credentialFor({ credentials }: Pick<NpmSettings, 'credentials'>, url: URL): NpmCredential | undefined {
  const address = `//${url.host}${url.pathname}`;
  return credentials
    .filter(({ place }) => address.startsWith(place))
    .sort((one, other) => other.place.length - one.place.length)[0];
}

function authorizationAt(place: string, values: ReadonlyMap<string, string>): string | undefined {
  const value = (name: string) => values.get(`${place}:${name}`) || undefined;
  const token = value('_authToken');
  if (token !== undefined) return `Bearer ${token}`;
  const pair = value('_auth');
  if (pair !== undefined) return `Basic ${pair}`;
  const [name, password] = [value('username'), value('_password')];
  if (name === undefined || password === undefined) return undefined;
  return `Basic ${Buffer.from(`${name}:${Buffer.from(password, 'base64').toString()}`).toString('base64')}`;
}

function linesOf(text: string, env: Environment): [string, string][] {
  return text.split(/\r?\n/).flatMap((line): [string, string][] => {
    const [, key = '', value = ''] = /^\s*([^\s;#=[][^=]*?)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (key === '') return [];
    return [[expanded(key, env), expanded(unquoted(value), env)]];
  });
}

function variablesOf(env: Environment): [string, string][] {
  return Object.entries(env).flatMap(([name, value]): [string, string][] => {
    const [, key] = /^npm_config_(.+)$/i.exec(name) ?? [];
    if (key === undefined || value === undefined || value === '') return [];
    return [[key.startsWith('//') ? key : key.toLowerCase().replaceAll(/(?!^)_/g, '-'), value]];
  });
}

function unquoted(value: string): string {
  const [, quoted] = /^"(.*)"$/.exec(value) ?? /^'(.*)'$/.exec(value) ?? [];
  return quoted ?? value.replace(/\s+[;#].*$/, '');
}

/** `${NAME}` is that variable; `${NAME?}` is empty where there is none, and `${NAME}` then stays as it is. */
function expanded(text: string, env: Environment): string {
  return text.replaceAll(/\$\{([^}?]+)(\?)?\}/g, (whole, name: string, isOptional: string | undefined) => {
    return env[name] ?? (isOptional === undefined ? whole : '');
  });
}

/** Without a user, and with a path that ends in a slash. */
function registryUrl(text: string | undefined): URL | undefined {
  const url = text === undefined ? null : URL.parse(text);
  if (url === null || !['http:', 'https:'].includes(url.protocol)) return undefined;
  const { origin, pathname } = url;
  return new URL(pathname.endsWith('/') ? pathname : `${pathname}/`, origin);
}
