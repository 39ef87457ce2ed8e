#!/bin/bash
# Many queries: how does time per packet grow with their number?
#
# usage: bench/queries.sh [CAPTURE.pcap]      from the root of the repository
#
# For 1, 10, 100, 1,000 and 10,000 generated queries over a capture (generated with 100 MB unless
# given): user time to compile (the same over an empty capture), and CPU time per packet without
# that, for every strategy up to STRATEGY_MAX (1000) queries. The outputs of all strategies must be
# equal. Prints a Markdown table for bench/record/.
#
# WIREQ (target/release/wireq) and EXAMPLES (target/release/examples) must be built; RUNS (3) is the
# number of runs, of which the least is taken. Exits 0: done; 1: outputs differ; 2: it can't be
# measured.
set -euo pipefail

source "$(dirname "$0")/common.sh"
runs=${RUNS:-3}
strategy_max=${STRATEGY_MAX:-1000}
many_queries "$@"

# cpu ARGS: the least user and system time of some runs of wireq, in milliseconds; output in out.
cpu() {
    local least='' now run
    for ((run = 0; run < runs; run++)); do
        now=$( (
            TIMEFORMAT='%U %S'
            time "$wireq" --threads 1 "$@" >"$tmp/out" 2>"$tmp/err"
        ) 2>&1) || fail "wireq $*: $(<"$tmp/err")"
        now=$(awk '{ printf "%d", ($1 + $2) * 1000 }' <<<"$now")
        [[ -z $least || $now -lt $least ]] && least=$now
    done
    echo "$least"
}

printf '%s packets\n\n' "$packets"
printf '| queries | a packet | strategy | vector | compile ms | ns a packet |\n|--:|--:|---|---|--:|--:|\n'
status=0
for count in 1 10 100 1000 10000; do
    matching=$("$examples/queries" "$capture" --count "$count" --seed 1 2>&1 >"$tmp/q")
    matching=${matching#*, }
    expected=
    for strategy in auto naive snort counting dataflow; do
        for vector in on off; do
            [[ $count -gt $strategy_max && $strategy/$vector != auto/on ]] && continue
            options=(--strategy "$strategy" --vector "$vector" -f "$tmp/q")
            compile=$(cpu "${options[@]}" "$empty")
            all=$(cpu "${options[@]}" "$capture")
            sum=$(md5sum <"$tmp/out")
            [[ -z $expected ]] && expected=$sum
            [[ $sum == "$expected" ]] || {
                printf 'queries: %s queries: %s/%s differs\n' "$count" "$strategy" "$vector" >&2
                status=1
            }
            printf '| %s | %s | %s | %s | %s | %s |\n' "$count" "${matching% a packet}" \
                "$strategy" "$vector" "$compile" "$(((all - compile) * 1000000 / packets))"
        done
    done
done
exit "$status"
