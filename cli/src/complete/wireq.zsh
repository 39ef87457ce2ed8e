#compdef wireq
# Completion of wireq for zsh: put this into a file _wireq in a folder of $fpath, or
# source <(wireq completions zsh)
_wireq() {
    local -a reply head shown taken
    local line word
    # Words without their quotes; the last one up to the cursor.
    local -a before=("${(@Q)words[1,CURRENT-1]}")
    reply=("${(@f)$("${words[1]}" __complete -- "${before[@]}" "$PREFIX" 2>/dev/null)}")
    [[ -n $reply[1] ]] || return 1
    head=(${(s: :)reply[1]})
    if [[ $head[3] == files ]]; then
        _files
        return
    fi
    # What stays is not part of what is compared and shown.
    (( head[2] > 0 )) && compset -p $head[2]
    for line in "${(@)reply[2,-1]}"; do
        [[ -n $line ]] || continue
        word=${line%%$'\t'*}
        word=${word[$((head[2] + 1)),-1]}
        taken+=("$word")
        line=${line#*$'\t'}
        shown+=("$word${line:+  -- $line}")
    done
    (( $#taken )) || return 1
    local -a space
    # A query goes on.
    (( head[2] > 0 )) && space=(-S '')
    compadd -Q -l -d shown "${(@)space}" -a taken
}
if [[ $funcstack[1] == _wireq ]]; then
    _wireq "$@"
else
    compdef _wireq wireq
fi
