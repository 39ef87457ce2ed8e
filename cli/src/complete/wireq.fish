# Completion of wireq for fish: wireq completions fish | source
function __wireq_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    # The word as the program would get it: without its opening quote.
    set current (string replace -r '^[\'"]' '' -- $current)
    set -l reply ($words[1] __complete -- $words $current 2>/dev/null)
    test (count $reply) -gt 0; or return
    set -l head (string split ' ' -- $reply[1])
    if test "$head[3]" = files
        __fish_complete_path $current
        return
    end
    test (count $reply) -gt 1; and printf '%s\n' $reply[2..-1]
end
complete -c wireq -f -a '(__wireq_complete)'
