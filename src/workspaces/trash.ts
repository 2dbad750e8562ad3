import { between, type CrashPoint } from '../lib/crash-point.ts';
import { changeRefs, listRefs, type Ref, type RefChange } from '../lib/git/refs.ts';

/**
 * Moves all refs below one prefix to another, all at once, and returns what then lies there. Dying in the middle leaves either
 * state or both names; moving again ends it. A ref that is in the way with another commit is kept below a name of its own.
 */
export async function moveRefs(move: {
  store: string;
  from: string;
  to: string;
  crashPoint: CrashPoint;
}): Promise<readonly Ref[]> {
  const { store, from, to, crashPoint } = move;
  return between(crashPoint, 'trash', async () => {
    const [sources, taken] = await Promise.all([listRefs(store, from), listRefs(store, to)]);
    const there = new Map(taken.map(({ ref, commit }) => [ref, commit]));
    await changeRefs(
      store,
      sources.flatMap((source) => moveOne(source, `${to}${source.ref.slice(from.length)}`, there)),
    );
    return listRefs(store, to);
  });
}

function moveOne({ ref, commit }: Ref, target: string, there: ReadonlyMap<string, string>): RefChange[] {
  const present = there.get(target);
  const gone: RefChange = { ref, to: null, from: commit };
  if (present === commit) return [gone];
  if (present === undefined) return [{ ref: target, to: commit, from: null }, gone];
  return [{ ref: `${target}-${present.slice(0, 12)}`, to: present }, { ref: target, to: commit, from: present }, gone];
}
