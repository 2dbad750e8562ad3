import { quoted } from './sandboxed.ts';

/**
 * The shell scripts that look at or change the files of a checkout. They run in the sandbox with GIT_DIR at the harness's git
 * directory. Its index is a cache of the last look: what it says counts only together with the tree that was written from it.
 */

/** Takes all files into the index; says `partial` when some could not be read. `$GIT_DIR/added` is empty when nothing changed. */
const ADD = `
git add --all --verbose --ignore-errors >"$GIT_DIR/added"
case $? in 0) ;; 1) echo partial ;; *) exit 1 ;; esac`;

/**
 * Git reads a file again at every look if it was written in the same second as the index, which many are after a checkout. Writing the
 * index once more in a later second ends that.
 */
const SETTLE = `
git update-index -q --refresh --force-write-index >/dev/null`;

/** Takes paths (as bytes, see `escapedBytes`) out of the index. */
function leaveOut(paths: readonly string[]): string {
  if (paths.length === 0) return '';
  return `
printf '%b\\0' ${paths.map((path) => quoted(path)).join(' ')} | git update-index -z --force-remove --stdin || exit 1`;
}

/** The tree of the index, known beforehand (INDEX_TREE) when nothing changed. */
const WRITE_TREE = `
changed=
if [ -n "$INDEX_TREE" ] && [ ! -s "$GIT_DIR/added" ]
then tree=$INDEX_TREE
else tree=$(git write-tree) || exit 1; changed=1
fi
echo "tree $tree"`;

/** Packs what is in the trees that $@ names, and not in those that it names as `^tree`. */
export const PACK = `
printf '%s\\n' "$@" | git pack-objects --revs --stdout -q --window=0 >"$GIT_DIR/incoming.pack"`;

/**
 * The exact contents of untracked files, whatever attributes say, as a tree of their own; an index of its own makes that cheap the
 * second time. A symbolic link is kept as a link. Where a folder became a link meanwhile, that index is of no use and made again.
 */
const SAVE = `
save() (
  GIT_OBJECT_DIRECTORY="$GIT_DIR/objects" GIT_INDEX_FILE="$GIT_DIR/$1.index" GIT_WORK_TREE="$2" GIT_DIR="$GIT_DIR/exact"
  export GIT_OBJECT_DIRECTORY GIT_INDEX_FILE GIT_WORK_TREE GIT_DIR
  cd "$2" || exit 1
  shift 2
  git ls-files -z --cached --others -- "$@" >"$GIT_INDEX_FILE.paths" || exit 1
  git update-index -z --add --remove --stdin <"$GIT_INDEX_FILE.paths" || {
    rm -f "$GIT_INDEX_FILE"
    git ls-files -z --others -- "$@" >"$GIT_INDEX_FILE.paths" || exit 1
    git update-index -z --add --remove --stdin <"$GIT_INDEX_FILE.paths" || exit 1
  }
  git write-tree
)`;

export interface SavedPart {
  readonly name: 'carry' | 'homes';
  readonly folder: string;
  readonly pathspecs: readonly string[];
}

function save({ name, folder, pathspecs }: SavedPart): string {
  return `
part=$(save ${[name, folder, ...pathspecs].map((word) => quoted(word)).join(' ')}) || exit 1
echo "${name} $part"`;
}

export interface SnapshotScript {
  /** Writes the index once more first. */
  readonly settle: boolean;
  readonly leaveOut: readonly string[];
  /** What else to make trees of. */
  readonly save: readonly SavedPart[];
  /** Differences to AGAINST: always, or only when the index changed. */
  readonly differences: 'always' | 'when-changed';
}

/** Lines of facts, an empty line, then raw differences. */
export function snapshotScript(wanted: SnapshotScript): string {
  const saving = wanted.save.length === 0 ? [] : [SAVE, ...wanted.save.map((part) => save(part))];
  const when = wanted.differences === 'always' ? '' : '[ -z "$changed" ] || ';
  return [
    wanted.settle ? SETTLE : '',
    ADD,
    leaveOut(wanted.leaveOut),
    WRITE_TREE,
    ...saving,
    `\necho\n${when}git diff-index --cached --raw -z --no-renames --no-abbrev "$AGAINST"`,
  ].join('');
}

/** Makes index and files those of $1. Untracked files go, ignored ones stay. */
export const RESET = `
git read-tree --reset -u "$1" && git clean -ffdq`;

/** Lists (raw) what differs from AGAINST, then makes index and files those of it. */
export function restoreScript(leave: readonly string[]): string {
  return `${ADD}${leaveOut(leave)}
if [ -n "$INDEX_TREE" ] && [ "$INDEX_TREE" = "$AGAINST" ] && [ ! -s "$GIT_DIR/added" ]; then exit 0; fi
echo
git diff-index --cached --raw -z --no-renames --no-abbrev "$AGAINST" || exit 1
git read-tree --reset -u "$AGAINST" && git clean -ffdq`;
}

/** Puts the files of tree $3 into folder $2, as `save $1` took them. */
export const UNSAVE = `
GIT_OBJECT_DIRECTORY="$GIT_DIR/objects" GIT_INDEX_FILE="$GIT_DIR/$1.index" GIT_WORK_TREE="$2" GIT_DIR="$GIT_DIR/exact"
export GIT_OBJECT_DIRECTORY GIT_INDEX_FILE GIT_WORK_TREE GIT_DIR
cd "$2" && git read-tree "$3" && git checkout-index --all --force --index --quiet`;

/**
 * After setup: lists untracked files (whole folders where they are too many, see `$1`), a line `//`, then the tracked files that
 * changed, which are put back. A path never begins with a slash.
 */
export const LITTER = `
list() { git ls-files -z --others --exclude-standard "$@"; }
list >"$GIT_DIR/litter"
if [ "$(tr -cd '\\0' <"$GIT_DIR/litter" | wc -c)" -gt "$1" ]; then list --directory --no-empty-directory >"$GIT_DIR/litter"; fi
git update-index -q --refresh
git diff-files -z --name-only --ignore-submodules >"$GIT_DIR/changed" || exit 1
cat "$GIT_DIR/litter" && printf '//\\0' && cat "$GIT_DIR/changed" || exit 1
git checkout-index --force --index --quiet -z --stdin <"$GIT_DIR/changed"`;

/** The folders that are repositories of their own, among other untracked paths: those end with a slash. */
export const UNTRACKED = 'git ls-files -z --others --exclude-standard';

/** A tree with the files (not the git directories) of the nested repositories $@. */
export const NESTED = `
GIT_INDEX_FILE="$GIT_DIR/nested.index"
export GIT_INDEX_FILE
rm -f "$GIT_INDEX_FILE"
for escaped; do
  path=$(printf '%b/' "$escaped")
  find "./$path" -name .git -prune -o \\( -type f -o -type l \\) -print0
done | git update-index -z --add --remove --stdin || exit 1
tree=$(git write-tree) || exit 1
echo "tree $tree"`;
