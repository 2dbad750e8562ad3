import { constants } from 'node:fs';
import { access, cp, lstat, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { accounts, hosts } from './accounts.ts';
import { BRIDGE_SCRIPTS } from './bridge/index.ts';
import { RESOLVER } from './system-files.ts';

/** What programs need of `/etc`, if it is there. Nothing in it names people, machines or keys; README.md says what is left out, and why. */
const NEEDED = `
  alternatives bash.bashrc ca-certificates ca-certificates.conf crypto-policies debian_version fonts gai.conf groff host.conf inputrc
  ld.so.cache ld.so.conf ld.so.conf.d locale.alias locale.conf localtime lsb-release magic magic.mime mailcap maven/m2.conf maven/logging
  mime.types networks nsswitch.conf os-release perl pki/ca-trust/extracted pki/java pki/tls/cert.pem pki/tls/certs pki/tls/openssl.cnf
  profile profile.d protocols rpc services sgml shells ssl/cert.pem ssl/certs ssl/openssl.cnf terminfo timezone xml`;
/** The same where names hold a version. */
const NEEDED_TOO = /^(ImageMagick.*|java.*|ld-musl-.*\.path|python\d.*)$/;

/**
 * Makes the `/etc` that programs see: a copy, since a mount for each of its files would be most of what starting a program takes. What this
 * user may not read is left out.
 */
export async function makeEtc(folder: string): Promise<void> {
  await mkdir(folder, { mode: 0o755 });
  for (const name of await needed()) await copy(name, folder);
  const { passwd, group } = accounts();
  for (const [name, content] of Object.entries({ passwd, group, hosts: await hosts() })) {
    await writeFile(join(folder, name), content, { mode: 0o644 });
  }
  await mkdir(join(folder, 'switchyard'));
  for (const [name, script] of Object.entries(BRIDGE_SCRIPTS))
    await writeFile(join(folder, 'switchyard', name), script);
  await symlink(RESOLVER, join(folder, 'resolv.conf'));
  await symlink('/proc/self/mounts', join(folder, 'mtab'));
}

async function needed(): Promise<string[]> {
  const names = await readdir('/etc').catch(() => []);
  return [...NEEDED.trim().split(/\s+/), ...names.filter((name) => NEEDED_TOO.test(name))];
}

async function copy(name: string, folder: string): Promise<void> {
  const from = join('/etc', name);
  if ((await lstat(from).catch(() => undefined)) === undefined) return;
  await mkdir(dirname(join(folder, name)), { recursive: true });
  await cp(from, join(folder, name), { recursive: true, verbatimSymlinks: true, filter: isReadable });
}

async function isReadable(path: string): Promise<boolean> {
  const found = await lstat(path);
  if (found.isSymbolicLink()) return true;
  const mode = found.isDirectory() ? constants.R_OK | constants.X_OK : constants.R_OK;
  return (
    (found.isDirectory() || found.isFile()) &&
    (await access(path, mode).then(
      () => true,
      () => false,
    ))
  );
}
