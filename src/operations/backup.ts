import { createWriteStream } from 'node:fs';
import { copyFile, mkdir, mkdtemp, open, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { BackupManifest } from '../domain/backup-manifest.ts';
import { counted } from '../lib/counted.ts';
import { SwitchyardError } from '../lib/error.ts';
import { runTar } from '../lib/exec/tar.ts';
import { sha256Of } from '../lib/file-hash.ts';
import { isThere } from '../lib/is-there.ts';
import { type DumpFacts, dumpDatabase } from '../store/dump.ts';
import { verifyBundle, writeBundle } from '../workspaces/bundle.ts';
import { checkpointKey } from '../workspaces/checkpoint-key.ts';
import { CONFIG_FILE, DATABASE_FILE, damaged, MANIFEST, readManifest } from './backup-manifest.ts';

export interface BackupRequest {
  /** A file that is not there yet, or a folder, in which it gets a name by date. */
  readonly target: string;
  readonly databaseUrl: string;
  /** The folder of the git stores. */
  readonly repositories: string;
  /** The machine's configuration. */
  readonly config: string;
  readonly version: string;
  readonly now: Date;
  /** Told what is being done, a line each. */
  readonly progress: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface BackupReport {
  readonly file: string;
  readonly bytes: number;
  readonly manifest: BackupManifest;
  /** What a person should know. */
  readonly notes: readonly string[];
}

/**
 * Writes one file with everything that cannot be made again: the database as it is at one moment, then all git stores, so that every
 * commit that the database names is in it, with the keys of what checkpoints keep encrypted, and the configuration. Only its owner may read it. It is read back before it gets its name; an abort or a death leaves at
 * most a folder beside it whose name ends in `.part-…`. Runs go on meanwhile.
 */
export async function backUp(request: BackupRequest): Promise<BackupReport> {
  const { now, signal, progress } = request;
  const file = await fileFor(request.target, now);
  const scratch = await mkdtemp(`${file}.part-`);
  try {
    const content = join(scratch, 'content');
    await mkdir(join(content, 'repos'), { recursive: true, mode: 0o700 });
    progress('Writing the database');
    const facts = await writeDatabase(request, join(content, DATABASE_FILE));
    const repositories = await writeStores(request, { content, facts });
    const hasConfig = await copyConfig(request.config, join(content, CONFIG_FILE));
    const files = [
      DATABASE_FILE,
      ...repositories.flatMap(({ file, key }) => [file ?? [], key ?? []].flat()),
      ...(hasConfig ? [CONFIG_FILE] : []),
    ];
    const manifest: BackupManifest = {
      kind: 'switchyard-backup',
      schema: 1,
      at: now.toISOString(),
      version: request.version,
      migrations: [...facts.migrations],
      rows: { ...facts.rows },
      repositories,
      files: Object.fromEntries(
        await Promise.all(files.map(async (path) => [path, await sha256Of(join(content, path))])),
      ),
    };
    await writeFile(join(content, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
    const packed = join(scratch, 'backup.tar');
    await runTar(['-cf', packed, '-C', content, '.'], signal);
    await rm(content, { recursive: true });
    progress('Reading it back');
    await verify(packed, { scratch, facts, signal });
    await makePrivate(packed);
    await rename(packed, file);
    return { file, bytes: (await stat(file)).size, manifest, notes: notesOn(manifest) };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function fileFor(target: string, now: Date): Promise<string> {
  const found = await stat(target).catch(() => undefined);
  const stamp = now.toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  const file = found?.isDirectory() === true ? join(target, `switchyard-${stamp}.tar`) : target;
  if (await isThere(file)) {
    throw new SwitchyardError({
      code: 'backup/exists',
      message: `There is something at ${file} already.`,
      hint: 'Name a file that is not there, or a folder.',
    });
  }
  if ((await stat(dirname(file)).catch(() => undefined))?.isDirectory() === true) return file;
  throw new SwitchyardError({
    code: 'backup/no-folder',
    message: `There is no folder ${dirname(file)}.`,
    hint: 'Make it first, then try again.',
  });
}

async function writeDatabase({ databaseUrl, signal }: BackupRequest, path: string): Promise<DumpFacts> {
  const gzip = createGzip();
  const written = pipeline(gzip, createWriteStream(path, { mode: 0o600 }));
  written.catch(() => undefined); // told below
  const write = async (line: string) => {
    if (!gzip.write(line)) await Promise.race([new Promise((resume) => gzip.once('drain', resume)), written]);
  };
  const facts = await dumpDatabase(databaseUrl, { write, signal });
  gzip.end();
  await written;
  return facts;
}

async function writeStores(
  { repositories, progress, signal }: BackupRequest,
  { content, facts }: { content: string; facts: DumpFacts },
): Promise<BackupManifest['repositories']> {
  const written: BackupManifest['repositories'] = [];
  for (const [index, { id, path }] of facts.repositories.entries()) {
    signal.throwIfAborted();
    progress(`Writing git store ${index + 1} of ${facts.repositories.length}: ${id}`);
    const store = join(repositories, `${id}.git`);
    const commits = facts.commits.get(id) ?? [];
    const file = join('repos', `${id}.bundle`);
    const isThere = (await stat(store).catch(() => undefined)) !== undefined;
    const bundled = isThere ? await writeBundle(store, { file: join(content, file), commits, signal }) : undefined;
    if (bundled === undefined) {
      written.push({ id, path, file: null, refs: 0, missing: [...commits] });
      continue;
    }
    const key = join('repos', `${id}.key`);
    await writeFile(join(content, key), await checkpointKey(store), { mode: 0o600 });
    written.push({ id, path, file, key, refs: bundled.refs, missing: [...bundled.missing] });
  }
  return written;
}

async function copyConfig(from: string, to: string): Promise<boolean> {
  try {
    await copyFile(from, to);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}

/** What was packed is unpacked again: every file is whole, and every commit that the database names is in the bundles. */
async function verify(
  packed: string,
  { scratch, facts, signal }: { scratch: string; facts: DumpFacts; signal: AbortSignal },
): Promise<void> {
  const folder = await mkdtemp(join(scratch, 'read-back-'));
  await runTar(['-xf', packed, '-C', folder], signal);
  const manifest = await readManifest(folder, packed);
  for (const { id, file, missing } of manifest.repositories) {
    if (file === null) continue;
    const wanted = (facts.commits.get(id) ?? []).filter((commit) => !missing.includes(commit));
    const lacking = await verifyBundle(join(folder, file), { commits: wanted, folder, signal });
    if (lacking.length > 0) throw damaged(packed, `the bundle of ${id} lacks ${counted(lacking.length, 'commit')}`);
  }
  await rm(folder, { recursive: true });
}

/** For nobody else to read, since it holds whatever agents and persons have said; and safely on the disk. */
async function makePrivate(path: string): Promise<void> {
  await using file = await open(path, 'r');
  await file.chmod(0o600);
  await file.sync();
}

function notesOn({ repositories }: BackupManifest): string[] {
  return repositories
    .filter(({ missing }) => missing.length > 0)
    .map(
      ({ id, missing }) =>
        `The git store of ${id} does not have ${counted(missing.length, 'commit')} that the database names, and had lost them before: ${missing.slice(0, 3).join(', ')}.`,
    );
}
