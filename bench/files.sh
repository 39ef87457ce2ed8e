#!/bin/bash
# Many files and packed ones: how much sooner are several threads done?
#
# usage: bench/files.sh CAPTURE [THREADS ...]      from the root of the repository
#
# Divides the capture into files of a megabyte, packs some of these and the whole, and runs QUERY over each set
# on one thread and on so many (2), interleaved, RUNS times (7); outputs are compared byte for byte. Prints the
# Markdown tables of compare. 100 MB of capture do; wall times mean something on an otherwise idle machine only.
#
# WIREQ (target/release/wireq) and EXAMPLES (target/release/examples) have to be built; gzip, zstd and xz are
# left out where they are missing. Exits 0: measured, outputs equal; 1: outputs differ; 2: it can't be measured.
set -euo pipefail

source "$(dirname "$0")/common.sh"
runs=${RUNS:-7}
query=${QUERY:-where dstport = 80 and ipprotocol = tcp | count()}
default_threads=2
on_threads 'bench/files.sh CAPTURE [THREADS ...]' "$@"

over() { # NAME FILE...
    compared "$1" "$query" "${@:2}" | sed '/^\* [A-Z]: /d' || exit
    echo
}

"$wireq" "pcapwrite -f $tmp/%4i.pcap -s 1 | count()" "$capture" >/dev/null
files=("$tmp"/*.pcap)
some=("${files[@]:0:50}")
over "${#files[@]} files of 1 MB" "${files[@]}"
for ending in gz zst xz; do
    "$wireq" -w "$tmp/members.pcap.$ending" 'where len >= 0' "$capture"
    over "one file of many members, $ending" "$tmp/members.pcap.$ending"
    case $ending in
    gz) pack=gzip ;;
    zst) pack='zstd -q' ;;
    xz) pack='xz -1' ;;
    esac
    command -v "${pack%% *}" >/dev/null || continue
    $pack -k "${some[@]}"
    $pack -c "$capture" >"$tmp/one.pcap.$ending"
    over "${#some[@]} files of 1 MB, packed: $ending" "${some[@]/%/.$ending}"
    over "one file in one, $ending" "$tmp/one.pcap.$ending"
done
