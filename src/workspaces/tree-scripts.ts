import { shellWord } from '../lib/shell-word.ts';

/**
 * The shell scripts that look at or change the files of a checkout. They run in the sandbox with GIT_DIR at the harness's git
 * directory. Its index is a cache of the last look: what it says counts only together with the tree that was written from it.
 */

/** Bytes of a file that is taken in. A larger one costs an agent nothing to make, and git minutes or the whole disk. */
export const LARGEST_FILE = 1024 ** 3;

/** A git that does nothing, as `idle/git` in the harness's git directory. Workspaces of earlier builds get it at the first look. */
export const IDLE_GIT = '#!/bin/sh\n';

/**
 * Takes all files into the index, also those in folders that the checkout does not have as a rule; says `partial` when some could not be
 * read. `$GIT_DIR/added` is empty when nothing changed. Into each submodule that the index has, `git add` sends another git, which
 * would go by whatever configuration lies there; the one that it finds does nothing, and nothing of what it would say is needed.
 *
 * Git itself gives up, before it has read anything, at a file that it is not allowed to map into memory; only then are the files that are
 * too large looked for. Each that git would have taken is said (`large PATH`) and stays in the index as it was, or out of it.
 */
const ADD = `
idle="$GIT_DIR/idle"
[ -x "$idle/git" ] || { mkdir -p "$idle" && echo '#!/bin/sh' >"$idle/git" && chmod +x "$idle/git"; } || exit 1
add() {
  GIT_EXEC_PATH="$idle" GIT_MMAP_LIMIT=${LARGEST_FILE} git -c core.bigFileThreshold=${LARGEST_FILE}g \\
    add --all --sparse --verbose --ignore-errors "$@" >"$GIT_DIR/added" 2>"$GIT_DIR/problems"
}
add
code=$?
if [ $code = 128 ] && grep -q 'over limit' "$GIT_DIR/problems"; then
  find . -xdev -name .git -prune -o -type f -size +${LARGEST_FILE}c -print0 |
    GIT_LITERAL_PATHSPECS=1 xargs -0 -r git ls-files -z --cached --others --exclude-standard -- >"$GIT_DIR/large"
  { printf '.\\0' && sed -z 's/^/:(top,exclude,literal)/' "$GIT_DIR/large"; } |
    add --pathspec-from-file=- --pathspec-file-nul
  code=$?
  tr '\\n\\0' '?\\n' <"$GIT_DIR/large" | sed 's/^/large /'
fi
[ ! -s "$GIT_DIR/problems" ] || cat "$GIT_DIR/problems" >&2
case $code in 0) ;; 1) echo partial ;; *) exit 1 ;; esac`;

/**
 * Git reads a file again at every look if it was written in the same second as the index, which many are after a checkout. Writing the
 * index once more in a later second ends that.
 */
const SETTLE = `
git update-index -q --refresh --force-write-index >/dev/null`;

/** Takes paths (as bytes, see `escapedBytes`) out of the index; where AGAINST has a submodule, that stays as it is there. */
function leaveOut(paths: readonly string[]): string {
  if (paths.length === 0) return '';
  const words = paths.map((path) => shellWord(path)).join(' ');
  return `
printf '%b\\0' ${words} | git update-index -z --force-remove --stdin || exit 1
for escaped in ${words}; do
  GIT_LITERAL_PATHSPECS=1 git ls-tree -z --full-tree "$AGAINST" -- "$(printf '%b' "$escaped")" || exit 1
done | grep -z '^160000 ' | git update-index -z --index-info || exit 1`;
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
 * The exact contents of untracked files, whatever attributes say, as a tree and, unless that is KNOWN, as a pack of it. They are private:
 * all of it lies in a folder of its own, whose objects the store is never given. An index of its own makes that cheap the second time.
 * A symbolic link is kept as a link. Where a folder became a link meanwhile, or an object was lost with the machine, that folder is of no
 * use and made again.
 */
const SAVE = `
save() (
  part=$1 known=$2 own="$GIT_DIR/private/$1"
  GIT_OBJECT_DIRECTORY="$own/objects" GIT_INDEX_FILE="$own/index" GIT_WORK_TREE="$3" GIT_DIR="$GIT_DIR/exact"
  export GIT_OBJECT_DIRECTORY GIT_INDEX_FILE GIT_WORK_TREE GIT_DIR
  cd "$3" || exit 1
  shift 3
  take() {
    pack=
    mkdir -p "$own/objects/pack" || return 1
    git ls-files -z --cached --others -- "$@" >"$own/paths" || return 1
    git update-index -z --add --remove --stdin <"$own/paths" || return 1
    tree=$(git write-tree) || return 1
    [ "$tree" != "$known" ] || return 0
    pack=$(echo "$tree" | git pack-objects --revs -q --window=0 "$own/objects/pack/pack")
  }
  take "$@" || { rm -rf "$own" && take "$@"; } || exit 1
  echo "$part $tree"
  [ -n "$pack" ] || exit 0
  echo "$part-pack $pack"
  find "$own/objects/pack" -type f ! -name "pack-$pack.*" -exec rm -f {} + && rm -rf "$own/objects"/??
)`;

export interface SavedPart {
  readonly name: 'carry' | 'homes';
  readonly folder: string;
  readonly pathspecs: readonly string[];
  /** The tree that it was last, of which no pack is needed. */
  readonly known?: string | undefined;
}

function save({ name, folder, pathspecs, known = '' }: SavedPart): string {
  return `
save ${[name, known, folder, ...pathspecs].map((word) => shellWord(word)).join(' ')} || exit 1`;
}

/** Where SAVE puts a pack, below the harness's git directory. */
export const packOf = (name: SavedPart['name'], pack: string): string =>
  `private/${name}/objects/pack/pack-${pack}.pack`;

const MOST_ONE_BY_ONE = 1000;

/**
 * Takes in the files that COMMITTED has beyond AGAINST, whether they are ignored or not: whoever has committed them wants them. One that
 * cannot be taken (it lies behind a link by now, it has become a pipe or too large) does not keep the others out.
 */
const COMMITTED = `
git diff-tree -r -z --name-only --no-renames --diff-filter=A "$AGAINST" "$COMMITTED" >"$GIT_DIR/committed" || exit 1
if [ -s "$GIT_DIR/committed" ]; then
  INDEX_TREE=
  export GIT_MMAP_LIMIT=${LARGEST_FILE}
  set -- -c core.bigFileThreshold=${LARGEST_FILE}g update-index --add --remove
  git "$@" -z --stdin <"$GIT_DIR/committed" 2>/dev/null ||
    head -z -n ${MOST_ONE_BY_ONE} <"$GIT_DIR/committed" | xargs -0 -n 1 git "$@" -- >/dev/null 2>&1
  unset GIT_MMAP_LIMIT
fi`;

export interface SnapshotScript {
  /** COMMITTED names a commit of the agent's. */
  readonly committed: boolean;
  /** Writes the index once more first. */
  readonly settle: boolean;
  readonly leaveOut: readonly string[];
  /** What else to make trees of. */
  readonly save: readonly SavedPart[];
  /** Differences to AGAINST: always, or only when the index changed. */
  readonly differences: 'always' | 'when-changed';
}

/** Makes trees of these parts, and says them as a snapshot does. */
export function saveScript(parts: readonly SavedPart[]): string {
  return parts.length === 0 ? '' : [SAVE, ...parts.map((part) => save(part))].join('');
}

/** Lines of facts, an empty line, then raw differences. */
export function snapshotScript(wanted: SnapshotScript): string {
  const when = wanted.differences === 'always' ? '' : '[ -z "$changed" ] || ';
  return [
    wanted.settle ? SETTLE : '',
    wanted.committed ? COMMITTED : '',
    ADD,
    leaveOut(wanted.leaveOut),
    WRITE_TREE,
    saveScript(wanted.save),
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

/** Puts the files of tree $3 into folder $2, as `save $1` took them; they come in a pack, `incoming.pack`. */
export const UNSAVE = `
own="$GIT_DIR/private/$1" incoming="$GIT_DIR/incoming.pack"
GIT_OBJECT_DIRECTORY="$own/objects" GIT_INDEX_FILE="$own/index" GIT_WORK_TREE="$2" GIT_DIR="$GIT_DIR/exact"
export GIT_OBJECT_DIRECTORY GIT_INDEX_FILE GIT_WORK_TREE GIT_DIR
mkdir -p "$own/objects/pack" && rm -f "$own/index" "$own/index.lock" && cd "$2" || exit 1
git index-pack --stdin <"$incoming" >/dev/null && rm -f "$incoming" || exit 1
git read-tree "$3" && git checkout-index --all --force --index --quiet`;

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

/**
 * A tree with the files (not the git directories) of the nested repositories $@, as far as a commit would take them: neither what they or the
 * checkout ignore, nor what is too large. Git looks at the ignore files alone; nothing of the repositories' configuration is read. The first
 * index is only a list: nothing of what is ignored gets into the store.
 */
export const NESTED = `
GIT_INDEX_FILE="$GIT_DIR/nested.index"
export GIT_INDEX_FILE
rm -f "$GIT_INDEX_FILE"
for escaped; do
  path=$(printf '%b/' "$escaped")
  find "./$path" -name .git -prune -o \\( -type l -o -type f ! -size +${LARGEST_FILE}c \\) -print0
done >"$GIT_DIR/nested"
git check-ignore -z --stdin --no-index <"$GIT_DIR/nested" >"$GIT_DIR/nested.ignored" || [ $? = 1 ] || exit 1
if [ -s "$GIT_DIR/nested.ignored" ]; then
  git update-index -z --info-only --add --stdin <"$GIT_DIR/nested" || exit 1
  git update-index -z --force-remove --stdin <"$GIT_DIR/nested.ignored" || exit 1
  git ls-files -z >"$GIT_DIR/nested" || exit 1
  rm -f "$GIT_INDEX_FILE"
fi
git update-index -z --add --remove --stdin <"$GIT_DIR/nested" || exit 1
tree=$(git write-tree) || exit 1
echo "tree $tree"`;
