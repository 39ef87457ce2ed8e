# Completion of wireq for bash: source <(wireq completions bash)
_wireq() {
    local IFS=$'\n' reply length stem kind word skip
    COMPREPLY=()
    mapfile -t reply < <(
        "${COMP_WORDS[0]}" __complete --line "${COMP_LINE:0:COMP_POINT}" 2>/dev/null
    )
    ((${#reply[@]})) || return
    IFS=' ' read -r length stem kind <<<"${reply[0]}"
    if [[ $kind == files ]]; then
        compopt -o default 2>/dev/null
        return
    fi
    # readline replaces only what is behind its last break; the words are whole.
    word=${COMP_WORDS[COMP_CWORD]}
    [[ $word == '=' || $word == ':' ]] && word=
    word=${word#[\'\"]}
    skip=$((length - ${#word}))
    ((skip > 0)) || skip=0
    for word in "${reply[@]:1}"; do
        word=${word%%$'\t'*}
        COMPREPLY+=("${word:skip}")
    done
    # A query goes on.
    ((stem > 0)) || [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
    return 0
}
complete -F _wireq wireq
