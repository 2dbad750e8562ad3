import { join } from 'node:path';
import { shellWord } from '../../lib/shell-word.ts';

/**
 * Git LFS without git-lfs: what `filter=lfs` in a repository's attributes means in git directories of ours. The filter is this shell script
 * in trusted configuration, whatever the repository says. It reads no configuration and opens no connection.
 *
 * - clean: a file becomes a pointer to its content; the content is kept in `lfs/objects` of the git directory. A file that is a pointer
 *   stays one.
 * - smudge: a pointer becomes the content, from `lfs/objects` of the git directory or of the store; without it, it stays a pointer.
 */
export function lfsSettings(
  folder: string,
  { required }: { required: boolean },
): readonly (readonly [string, string, string])[] {
  const command = (which: string) => `/bin/sh ${shellWord(join(folder, SCRIPT))} ${which}`;
  return [
    ['filter "lfs"', 'clean', command('clean')],
    ['filter "lfs"', 'smudge', command('smudge')],
    ['filter "lfs"', 'required', String(required)],
  ];
}

const SCRIPT = 'lfs/filter.sh';

export function lfsFiles(folder: string, store: string): Record<string, string> {
  const text = FILTER.replace('@own@', () => shellWord(join(folder, 'lfs/objects'))).replace('@store@', () =>
    shellWord(join(store, 'lfs/objects')),
  );
  return { [SCRIPT]: text };
}

/** A pointer is a few lines; whatever is longer is a file. */
const FILTER = `own=@own@
store=@store@
umask 077
mkdir -p "$own/incoming" || exit 1
draft=$own/incoming/$$-$1
trap 'rm -f "$draft"' EXIT
cat >"$draft" || exit 1
size=$(wc -c <"$draft" | tr -d ' ')
oid=
if [ "$size" -le 1024 ]; then
  oid=$(LC_ALL=C sed -n '1{/^version https:\\/\\/git-lfs.github.com\\/spec\\/v1$/!q}; s/^oid sha256:\\([0-9a-f]\\{64\\}\\)$/\\1/p' "$draft")
fi
case $1 in
clean)
  if [ "$size" = 0 ] || [ -n "$oid" ]; then cat "$draft"; exit; fi
  oid=$(sha256sum <"$draft") && oid=\${oid%% *} || exit 1
  folder=$own/$(printf %.2s "$oid")/$(printf %.2s "\${oid#??}")
  mkdir -p "$folder" && mv -f "$draft" "$folder/$oid" || exit 1
  printf 'version https://git-lfs.github.com/spec/v1\\noid sha256:%s\\nsize %s\\n' "$oid" "$size"
  ;;
smudge)
  if [ -n "$oid" ]; then
    path=$(printf %.2s "$oid")/$(printf %.2s "\${oid#??}")/$oid
    for objects in "$own" "$store"; do
      if [ -f "$objects/$path" ] && [ ! -L "$objects/$path" ]; then cat "$objects/$path"; exit; fi
    done
  fi
  cat "$draft"
  ;;
*) exit 1 ;;
esac
`;
