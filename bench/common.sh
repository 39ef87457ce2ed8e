# What the scripts here have in common: the programs, and how they fail. To be sourced, from the root of the
# repository. Sets wireq, examples and tmp, a folder that goes with the script.

wireq=${WIREQ:-target/release/wireq}
examples=${EXAMPLES:-target/release/examples}

fail() {
    printf '%s: %s\n' "$(basename "$0" .sh)" "$*" >&2
    exit 2
}

[[ -f bench/common.sh ]] || fail 'run it from the root of the repository'
tmp=$(mktemp -d) || fail 'no folder for what is temporary'
trap 'rm -rf "$tmp"' EXIT

# need PROGRAM ...: these examples have to be built, and wireq.
need() {
    local program
    [[ -x $wireq ]] || fail "build wireq first: no program $wireq"
    for program; do
        [[ -x $examples/$program ]] || fail "build the examples first: no program $examples/$program"
    done
}

# many_queries [CAPTURE]: sets capture (generated with 100 MB unless there is one), packets, how many
# it has, and empty, a capture without any.
many_queries() {
    need queries generate
    capture=${1:-$tmp/mix.pcap}
    if [[ ! -f $capture ]]; then
        "$examples/generate" "$capture" --bytes 100m --seed 1 || fail 'no capture'
    fi
    empty=$tmp/empty.pcap
    head -c 24 "$capture" >"$empty"
    packets=$("$wireq" 'count() | print count' "$capture")
}

# on_threads USAGE CAPTURE [THREADS ...]: sets capture and threads, which are `default_threads` unless given.
on_threads() {
    [[ $# -ge 2 ]] || fail "usage: $1"
    need compare
    capture=$2
    threads=("${@:3}")
    ((${#threads[@]})) || read -ra threads <<<"$default_threads"
    [[ -r $capture ]] || fail "cannot read $capture"
}

# compared NAME QUERY FILE ...: measures a query over files on one thread and on so many, which must print the
# same bytes.
compared() {
    local name=$1 query=$2 count commands
    shift 2
    commands=("$wireq" --seed 1 --threads 1 "$query" "$@")
    for count in "${threads[@]}"; do
        commands+=(::: "$wireq" --seed 1 --threads "$count" "$query" "$@")
    done
    "$examples/compare" --check --runs "$runs" --name "$name" -- "${commands[@]}"
}
