import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Enclosure, NetworkAccess } from '../../ports/sandbox.ts';

/** What a run's workspace looks like to a sandbox, in a temporary folder of the host. */
export interface EnclosedWorkspace extends AsyncDisposable {
  readonly root: string;
  readonly tree: string;
  readonly home: string;
  readonly tmp: string;
  /** Read-only, at its own place. */
  readonly objects: string;
  /** In no mount. */
  readonly secret: string;
  enclosure(network?: NetworkAccess): Enclosure;
}

export const SHUT: NetworkAccess = { kind: 'none' };

export async function enclosedWorkspace(): Promise<EnclosedWorkspace> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'switchyard-enclosed-')));
  const [tree, home, tmp, objects] = ['tree', 'home', 'tmp', 'objects'].map((name) => join(root, name)) as [
    string,
    string,
    string,
    string,
  ];
  for (const folder of [join(tree, 'sub'), home, tmp, objects]) await mkdir(folder, { recursive: true });
  await writeFile(join(tree, 'given'), 'given\n');
  await writeFile(join(objects, 'object'), 'object\n');
  const secret = join(root, 'secret');
  await writeFile(secret, 'hidden-words\n');
  return {
    root,
    tree,
    home,
    tmp,
    objects,
    secret,
    enclosure: (network = SHUT) => ({
      mounts: [
        {
          host: tmp,
          inside: '/tmp',
          writable: true,
        },
        {
          host: objects,
          inside: objects,
          writable: false,
        },
        {
          host: home,
          inside: '/home/agent',
          writable: true,
        },
        {
          host: tree,
          inside: '/workspace',
          writable: true,
        },
      ],
      network,
      limits: {},
      counted: [],
    }),
    [Symbol.asyncDispose]: () =>
      rm(root, {
        recursive: true,
        force: true,
      }),
  };
}
