import { join } from 'node:path';
import { putAgentAlternates } from './git-folders.ts';
import { type Marker, writeMarker } from './marker.ts';
import { runScript } from './sandboxed.ts';
import { showObjects } from './shown-objects.ts';
import type { Site } from './site.ts';
import { sourceObjects } from './source-objects.ts';

export interface Adopted {
  readonly marker: Marker;
  /** The agent's git directory could not be kept as it is: what counts in it is to be taken over, and a new one made. */
  readonly isLeft: boolean;
}

/**
 * A workspace of an earlier build, whose agent's git borrowed from all objects of the store. What it has borrowed of its own work (a
 * checkpoint had brought it there) becomes its own, and from then on it borrows what the run may read.
 */
export async function adoptEarlier(site: Site, marker: Marker): Promise<Adopted> {
  const { layout, store } = site;
  await showObjects(site, { wanted: [marker.head.commit], shown: [] });
  const { code } = await runScript(site, {
    name: 'own',
    text: MAKE_OWN,
    env: {
      GIT_DIR: join(layout.tree, '.git'),
      GIT_NO_LAZY_FETCH: '1',
      GIT_ALLOW_PROTOCOL: 'none',
      HEAD_COMMIT: marker.head.commit,
    },
  });
  const adopted: Marker = { ...marker, shows: 'own' };
  const isLeft = code !== 0 || !putAgentAlternates(layout.tree, [sourceObjects(store.path), layout.objects]);
  if (!isLeft) await writeMarker(layout.marker, adopted);
  return { marker: adopted, isLeft };
}

/** Plumbing only, as for taking commits over. */
const MAKE_OWN = `
unset GIT_WORK_TREE
mkdir -p "$GIT_DIR/objects/pack" || exit 1
echo "^$HEAD_COMMIT" |
  git pack-objects --revs --all --reflog --indexed-objects -q --non-empty --window=0 "$GIT_DIR/objects/pack/pack" >/dev/null`;
