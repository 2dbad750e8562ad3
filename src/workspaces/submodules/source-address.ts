/** From where a submodule may be fetched, by an address that a repository's files name. */
export type SourceAddress =
  | { readonly kind: 'allowed'; readonly address: string; readonly protocol: 'https' | 'ssh' | 'file' }
  | { readonly kind: 'refused'; readonly why: string };

/**
 * The address of a submodule, from what `.gitmodules` says and from where the repository itself is at home: `parent` is its remote's
 * address, or the path of the clone where it has none. `https` and `ssh` are allowed; a path on this machine only where the address is
 * relative and the repository's own home is a path, too. Nothing else: git would start programs for some.
 */
export function sourceAddress(url: string, parent: string): SourceAddress {
  if (/[\p{Cc}\s]/u.test(url)) return refused('its address holds blanks or control characters');
  const isRelative = /^\.\.?(\/|$)/.test(url);
  const address = isRelative ? joined(parent, url) : url;
  if (address === undefined) return refused(`its address ${url} leads out of ${parent}`);
  if (/^https:\/\/[^/\-?#][^/?#]*\/./i.test(address)) return { kind: 'allowed', address, protocol: 'https' };
  if (/^ssh:\/\/(?:[A-Za-z0-9_][\w.+-]*@)?[A-Za-z0-9[][^/@]*\/./i.test(address))
    return { kind: 'allowed', address, protocol: 'ssh' };
  if (
    /^(?:[A-Za-z0-9_][\w.+-]*@)?[A-Za-z0-9][A-Za-z0-9.-]*:(?![/:]{2})[^:-].*/.test(address) &&
    !/^[a-z][a-z0-9+.-]*::/i.test(address)
  )
    return { kind: 'allowed', address, protocol: 'ssh' };
  if (isRelative && address.startsWith('/')) return { kind: 'allowed', address, protocol: 'file' };
  if (isRelative && address.startsWith('file:///'))
    return { kind: 'allowed', address: address.slice('file://'.length), protocol: 'file' };
  return refused(`its address ${shown(address)} is neither https nor ssh`);
}

function refused(why: string): SourceAddress {
  return { kind: 'refused', why };
}

/** Without what may be a password. */
function shown(address: string): string {
  return address.replace(/(:\/\/[^/@:]*):[^/@]*@/, '$1:…@').slice(0, 200);
}

/** Each `../` takes away the last part of the parent, as git does it; undefined when nothing is left to take away. */
function joined(parent: string, relative: string): string | undefined {
  let base = parent.replace(/\/+$/, '');
  let rest = relative;
  let separator = '/';
  for (;;) {
    if (rest === '..' || rest.startsWith('../')) {
      const slash = base.lastIndexOf('/');
      const colon = base.lastIndexOf(':');
      if (slash > colon && slash >= 0 && !base.endsWith('/')) base = base.slice(0, slash);
      else if (colon > 0 && separator === '/' && !/^[a-z][a-z0-9+.-]*:\/\//i.test(parent)) {
        base = base.slice(0, colon);
        separator = ':';
      } else return undefined;
      rest = rest.slice(3);
    } else if (rest === '.' || rest.startsWith('./')) rest = rest.slice(2);
    else break;
  }
  return rest === '' ? base : `${base}${separator}${rest}`;
}
