/** The completion script of a shell: each asks `switchyard complete` for what fits, and falls back on file names. */
export function completionScript(shell: string): string | undefined {
  return Object.hasOwn(SCRIPTS, shell) ? SCRIPTS[shell] : undefined;
}

const SCRIPTS: Readonly<Record<string, string>> = {
  bash: `# bash completion for switchyard: source <(switchyard completion bash)
_switchyard() {
  # bash cuts words at characters such as @ and #; whole ones are asked for, and only what follows the cut is given back.
  local line="\${COMP_LINE:0:COMP_POINT}" current="\${COMP_WORDS[COMP_CWORD]}" cut found
  local -a words
  read -ra words <<<"$line"
  [[ "$line" == *[[:space:]] ]] && words+=("")
  cut="\${words[-1]%"$current"}"
  COMPREPLY=()
  while IFS= read -r found; do
    COMPREPLY+=("\${found#"$cut"}")
  done < <(switchyard complete -- "\${words[@]:1}" 2>/dev/null)
  if ((\${#COMPREPLY[@]} == 0)); then
    compopt -o default 2>/dev/null
  fi
}
complete -F _switchyard switchyard
`,
  zsh: `#compdef switchyard
# zsh completion for switchyard: source <(switchyard completion zsh)
_switchyard() {
  local -a found
  found=("\${(@f)$(switchyard complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  found=("\${(@)found:#}")
  if ((\${#found} > 0)); then
    compadd -- "\${found[@]}"
  else
    _files
  fi
}
if [[ "$funcstack[1]" == "_switchyard" ]]; then
  _switchyard "$@"
else
  compdef _switchyard switchyard
fi
`,
  fish: `# fish completion for switchyard: switchyard completion fish | source
function __switchyard_complete
  set -l words (commandline -opc)
  set -e words[1]
  switchyard complete -- $words (commandline -ct) 2>/dev/null
end
complete -c switchyard -a '(__switchyard_complete)'
`,
};
