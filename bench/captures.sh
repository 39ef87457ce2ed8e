#!/bin/bash
# Captures: what do reading and writing cost, beside tcpdump and capinfos?
#
# usage: bench/captures.sh CAPTURE      from the root of the repository
#
# Writes the capture to nowhere and to a file, counts its packets, and reads it as pcapng, each beside
# its peer, interleaved, RUNS times (7). Prints the Markdown tables of compare (CPU time, wall time,
# peak resident size) for bench/record/. What is written has to be what tcpdump writes.
#
# WIREQ (target/release/wireq) and EXAMPLES (target/release/examples) have to be built. Exits 0: measured;
# 1: the files written differ; 2: it can't be measured.
set -euo pipefail

source "$(dirname "$0")/common.sh"
runs=${RUNS:-7}
[[ $# -eq 1 ]] || fail 'usage: bench/captures.sh CAPTURE'
need compare
capture=$1
[[ -r $capture ]] || fail "cannot read $capture"
"$wireq" -w "$tmp/same.pcapng" 'where true' "$capture"

measure() { # measure NAME COMMAND ::: COMMAND ...
    local name=$1
    shift
    "$examples/compare" --runs "$runs" --name "$name" -- "$@"
    echo
}
one=("$wireq" --threads 1)
measure 'written to nowhere' "${one[@]}" -w /dev/null 'where true' "$capture" \
    ::: tcpdump -r "$capture" -w /dev/null
measure 'written to a file' "${one[@]}" -w "$tmp/ours" 'where true' "$capture" \
    ::: tcpdump -r "$capture" -w "$tmp/theirs"
cmp "$tmp/ours" "$tmp/theirs" || exit 1
measure 'packets counted' "${one[@]}" 'count()' "$capture" \
    ::: "$wireq" 'count()' "$capture" ::: capinfos -c "$capture"
measure 'pcapng beside pcap' "${one[@]}" 'count()' "$tmp/same.pcapng" \
    ::: "${one[@]}" 'count()' "$capture"
