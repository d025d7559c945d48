/**
 * What each shell is told: to ask `pupil` itself what can stand at the cursor, and to add no space where
 * the word goes on (behind a dot, `=` or the slash of a folder).
 */
export const scripts = {
  bash: `# Completion of pupil, made by: pupil completion bash
_pupil() {
  local line="\${COMP_LINE:0:COMP_POINT}" words current candidate
  read -ra words <<< "$line"
  [[ "$line" == *[[:space:]] ]] && words+=("")
  current="\${words[-1]}"
  COMPREPLY=()
  while IFS= read -r candidate; do
    # Where = separates words, bash wants only what stands behind the last one.
    if [[ "$COMP_WORDBREAKS" == *=* && "$current" == *=* ]]; then
      candidate="\${candidate#"\${current%"\${current##*=}"}"}"
    fi
    COMPREPLY+=("$(printf '%q' "$candidate")")
  done < <(pupil completion candidates -- "\${words[@]:1}" 2> /dev/null)
  if [[ \${#COMPREPLY[@]} -eq 1 && "\${COMPREPLY[0]}" == *[./=] ]]; then compopt -o nospace; fi
}
complete -o default -F _pupil pupil
`,
  zsh: `# Completion of pupil, made by: pupil completion zsh
_pupil() {
  local -a open closed
  local candidate
  for candidate in "\${(@f)$(pupil completion candidates -- "\${(@Q)words[2,CURRENT]}" 2> /dev/null)}"; do
    case "$candidate" in
      "") ;;
      *[./=]) open+=("$candidate") ;;
      *) closed+=("$candidate") ;;
    esac
  done
  compadd -S "" -a open
  compadd -a closed
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
compdef _pupil pupil
`,
  fish: `# Completion of pupil, made by: pupil completion fish
function __pupil_candidates
    set -l words (commandline -opc) (commandline -ct)
    pupil completion candidates -- $words[2..] 2>/dev/null
end
complete -c pupil -f -a '(__pupil_candidates)'
`,
} as const;

export const shells = Object.keys(scripts);
