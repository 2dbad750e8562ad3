import { shellWord } from '../../../lib/shell-word.ts';
import { TALK } from './run-arguments.ts';

/**
 * The container's first process. It collects orphans, and the program is not process 1, for which the kernel ignores most signals. When
 * it ends, the kernel ends all others in the container. Before that it lets the harness look at what the kernel has counted.
 */
export const ENTRY = `exec 3<${TALK}/end 4<>${TALK}/report
/usr/bin/env -i /bin/sh ${TALK}/program "$@" 3<&- 4>&-
code=$?
echo ended >&4
read -r word <&3
exit $code
`;

/**
 * What becomes the program, as process 2. It says in a word whether the program can be started, waits for a line on the leash, and goes
 * on. On the leash hangs a watcher too: when the harness dies, the leash ends, and so does everything in the container. The program
 * gets exactly its variables, which stand in no argument list as long as their names are words.
 */
export function programScript({ cwd, env }: { cwd: string; env: Readonly<Record<string, string>> }): string {
  const variables = Object.entries(env).filter(([name]) => name !== 'PWD');
  const isWord = ([name]: [string, string]) => /^[A-Za-z_]\w*$/.test(name) && !OF_SHELLS.test(name);
  const words = variables.filter(isWord);
  const others = variables.filter((variable) => !isWord(variable));
  return `exec 3<${TALK}/leash 4<>${TALK}/report
say() { echo "$1" >&4; }
cd -- ${shellWord(cwd)} 2>/dev/null || { say no-folder; exit 125; }
${words.map(([name, value]) => `export ${name}=${shellWord(value)}\n`).join('')}export PWD
find_program() {
  case $1 in
  /*) echo "$1" ;;
  */*) echo "$PWD/$1" ;;
  *)
    set -f
    IFS=:
    for folder in $PATH; do
      case $folder in /*) [ -f "$folder/$1" ] && [ -x "$folder/$1" ] && echo "$folder/$1" && return ;; esac
    done
    ;;
  esac
}
file=$(find_program "$1")
[ -f "$file" ] && [ -x "$file" ] || { say no-program; exit 125; }
shift
set -- "$file" "$@"
say up
read -r word <&3 || exit 125
(
  exec </dev/null >/dev/null 2>&1 4>&-
  (
    read -r word <&3
    kill -KILL -1
  ) &
)
exec 3<&- 4>&-
exec /usr/bin/env -u _ -u SHLVL -u OLDPWD ${others.map(([name, value]) => `${shellWord(`${name}=${value}`)} `).join('')}"$@"
`;
}

/** What one shell or another lets nobody set, or heeds itself. */
const OF_SHELLS =
  /^(_|SHLVL|OLDPWD|UID|EUID|PPID|SHELLOPTS|BASH.*|POSIXLY_CORRECT|IFS|OPTIND|OPTARG|OPTERR|RANDOM|SECONDS|LINENO|LANG|LC_.*|PS4|TMOUT)$/;
