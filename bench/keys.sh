#!/bin/bash
# Many keys: does time grow with their number and no faster, whatever they are?
#
# usage: bench/keys.sh [KEYS ...]      from the root of the repository
#
# For each number of keys (10000 30000 100000 300000 1000000 3000000) a capture with each key
# twice: CPU time and peak resident size of uniq and group by (and of flow where there is such a
# module), with and without a limit of memory. Then keys that collide for hashes without a secret
# beside as many that do not. Prints Markdown tables for bench/record/.
#
# WIREQ (target/release/wireq) and EXAMPLES (target/release/examples) are built where they are
# missing. Exits 0: time is linear; 1: a key of the most costs more than five times one of the
# fewest from 100000 on (caches account for two to three), or keys that collide cost more than
# one and a half times others; 2: it can't be measured.
set -euo pipefail

wireq=${WIREQ:-target/release/wireq}
examples=${EXAMPLES:-target/release/examples}
runs=${RUNS:-5}
pair='srcip dstip'

fail() {
    printf 'keys: %s\n' "$*" >&2
    exit 2
}

[[ -f bench/keys.sh ]] || fail 'run it from the root of the repository'
[[ -x $wireq ]] || cargo build --release --bin wireq >&2 || fail 'wireq does not build'
[[ -x $examples/keys && -x $examples/compare ]] ||
    cargo build --release -p wireq-bench --examples >&2 || fail 'the examples do not build'

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
status=0

# seconds TABLE LETTER: the median CPU time of a command.
seconds() {
    awk -F'|' -v name=" $2 " '$2 == name { print $3 + 0; found = 1 } END { exit !found }' <<<"$1" ||
        fail 'compare printed no table'
}

# measure NAME COMMANDS: prints the table of compare and leaves it in $table.
measure() {
    table=$("$examples/compare" --runs "$runs" --name "$1" -- "${@:2}") || fail "compare failed on: $1"
    printf '%s\n\n' "$table"
}

queries=("uniq $pair | count()" "count() group by $pair | count()")
"$wireq" modules flow >/dev/null 2>&1 && queries+=('flow | count()')

declare -A first
sizes=("$@")
((${#sizes[@]})) || sizes=(10000 30000 100000 300000 1000000 3000000)
for keys in "${sizes[@]}"; do
    "$examples/keys" "$tmp/k.pcap" --keys "$keys"
    commands=("$wireq" --threads 1 'count()' "$tmp/k.pcap")
    for query in "${queries[@]}"; do
        commands+=(::: "$wireq" --threads 1 "$query" "$tmp/k.pcap")
    done
    for query in "${queries[@]:0:2}"; do
        commands+=(::: "$wireq" --threads 1 --memory-limit 64M "$query" "$tmp/k.pcap")
    done
    measure "$keys keys, each twice" "${commands[@]}"
    ((keys >= 100000)) || continue
    base=$(seconds "$table" A)
    for at in "${!queries[@]}"; do
        letter=$(printf "\\$(printf %o $((66 + at)))")
        cost=$(awk -v all="$(seconds "$table" "$letter")" -v base="$base" -v keys="$keys" \
            'BEGIN { printf "%.1f", (all - base) * 1e9 / keys }')
        printf '* `%s`: %s ns a key\n' "${queries[at]}" "$cost"
        : "${first[$at]:=$cost}"
        awk -v now="$cost" -v first="${first[$at]}" 'BEGIN { exit !(now > 5 * first) }' && {
            printf '  NOT linear: it was %s ns\n' "${first[$at]}"
            status=1
        }
    done
    printf '\n'
done
rm -f "$tmp/k.pcap"

# collide KIND KEYS FLAGS: keys of a kind beside as many that are spread.
collide() {
    "$examples/keys" "$tmp/spread.pcap" --keys "$2"
    "$examples/keys" "$tmp/collide.pcap" --keys "$2" --kind "$1"
    for query in "${queries[@]:0:2}"; do
        measure "$2 keys: spread, and $1 ($query)" \
            "$wireq" --threads 1 "$query" "$tmp/spread.pcap" ::: "$wireq" --threads 1 "$query" "$tmp/collide.pcap" \
            ::: "$wireq" --threads 1 --seed 0 "$query" "$tmp/collide.pcap"
        awk -v spread="$(seconds "$table" A)" -v collide="$(seconds "$table" B)" \
            'BEGIN { exit !(collide > 1.5 * spread) }' && {
            printf 'COLLIDES: it costs more than one and a half times as much\n\n'
            status=1
        }
    done
    return 0
}
collide fx 1000000
collide seed0 200000
exit $status
