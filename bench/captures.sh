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

wireq=${WIREQ:-target/release/wireq}
examples=${EXAMPLES:-target/release/examples}
runs=${RUNS:-7}

fail() {
    printf 'captures: %s\n' "$*" >&2
    exit 2
}

[[ $# -eq 1 ]] || fail 'usage: bench/captures.sh CAPTURE'
[[ -x $wireq && -x $examples/compare ]] || fail 'build wireq and the examples first'
capture=$1
[[ -r $capture ]] || fail "cannot read $capture"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$wireq" -w "$folder/same.pcapng" 'where true' "$capture"

measure() { # measure NAME COMMAND ::: COMMAND ...
    local name=$1
    shift
    "$examples/compare" --runs "$runs" --name "$name" -- "$@"
    echo
}
one=("$wireq" --threads 1)
measure 'written to nowhere' "${one[@]}" -w /dev/null 'where true' "$capture" \
    ::: tcpdump -r "$capture" -w /dev/null
measure 'written to a file' "${one[@]}" -w "$folder/ours" 'where true' "$capture" \
    ::: tcpdump -r "$capture" -w "$folder/theirs"
cmp "$folder/ours" "$folder/theirs" || exit 1
measure 'packets counted' "${one[@]}" 'count()' "$capture" \
    ::: "$wireq" 'count()' "$capture" ::: capinfos -c "$capture"
measure 'pcapng beside pcap' "${one[@]}" 'count()' "$folder/same.pcapng" \
    ::: "${one[@]}" 'count()' "$capture"
