#!/bin/bash
# Many queries with the same behind their filters: what a table of them saves.
#
# usage: bench/tables.sh [CAPTURE.pcap]      from the root of the repository
#
# For 1, 10, 100, 1,000 and 10,000 generated queries over a capture (generated with 100 MB unless
# given), each with the same suffix: user and system time a packet without that of the same over an
# empty capture, with the rewrite `table` and without it, which must print the same. Prints a Markdown
# table for bench/record/.
#
# WIREQ (target/release/wireq) and EXAMPLES (target/release/examples) must be built; RUNS (3) is the
# number of runs, of which the least is taken, in turn with and without. COUNTS are the numbers of
# queries. Exits 0: done; 1: outputs differ; 2: it can't be measured.
set -euo pipefail

source "$(dirname "$0")/common.sh"
runs=${RUNS:-3}
counts=${COUNTS:-1 10 100 1000 10000}
many_queries "$@"

# cpu NAME ARGS: the user and system time of a run of wireq, in milliseconds; output in NAME.
cpu() {
    local now
    now=$( (
        TIMEFORMAT='%U %S'
        time "$wireq" --threads 1 "${@:2}" >"$tmp/$1" 2>"$tmp/err"
    ) 2>&1) || fail "wireq ${*:2}: $(<"$tmp/err")"
    awk '{ printf "%d", ($1 + $2) * 1000 }' <<<"$now"
}

# least FILE: sets plain[FILE] and table[FILE], the least of some runs without tables and with them.
declare -A plain table
least() {
    local run now
    plain[$1]='' table[$1]=''
    for ((run = 0; run < runs; run++)); do
        now=$(cpu plain --no-rewrite table -f "$tmp/q" "$1")
        [[ -z ${plain[$1]} || $now -lt ${plain[$1]} ]] && plain[$1]=$now
        now=$(cpu table -f "$tmp/q" "$1")
        [[ -z ${table[$1]} || $now -lt ${table[$1]} ]] && table[$1]=$now
    done
    return 0
}

printf '%s packets\n\n' "$packets"
printf '| suffix | queries | a packet | ns a packet | with tables |\n|---|--:|--:|--:|--:|\n'
status=0
for suffix in 'print srcip dstip len' 'print srcip [ len * 2 ] as twice' 'count() group by srcip' \
    'uniq srcip dstip | print srcip dstip' 'top -n 10 srcip' 'last srcip | print srcip len' 'histogram dstport' \
    'head 10 | print srcip dstip' 'print srcip | print dstip'; do
    for count in $counts; do
        matching=$("$examples/queries" "$capture" --count "$count" --seed 1 --suffix "$suffix" 2>&1 >"$tmp/q")
        matching=${matching#*, }
        least "$empty"
        least "$capture"
        cmp -s "$tmp/plain" "$tmp/table" || {
            printf 'tables: %s queries: `%s` differs\n' "$count" "$suffix" >&2
            status=1
        }
        per() { echo "$((($1 - $2) * 1000000 / packets))"; }
        printf '| `%s` | %s | %s | %s | %s |\n' "${suffix//|/\\|}" "$count" "${matching% a packet}" \
            "$(per "${plain[$capture]}" "${plain[$empty]}")" \
            "$(per "${table[$capture]}" "${table[$empty]}")"
    done
done
exit "$status"
