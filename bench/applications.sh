#!/bin/bash
# Names that DNS asks for and that TLS asks of servers, counted and grouped: how much faster than tshark?
#
# usage: bench/applications.sh [CAPTURE.pcap]      from the root of the repository
#
# The capture is of Ethernet; unless one is given it is put together of the shared captures in
# $WIREQ_SHARED/data/captures (classic format, microseconds, Ethernet), again and again up to BYTES
# (100000000). For each of both fields: the CPU time of wireq, which counts and groups, and of
# `tshark -Y PROTOCOL -T fields`, which only prints, each the least of RUNS (3) for tshark and of 3 * RUNS for
# wireq, interleaved; and how many names both have. Prints a Markdown table
# for bench/record/.
#
# WIREQ (target/release/wireq) must be built. Exits 0: done; 1: fewer than nine in ten names are in both; 2: it can't be measured.
set -euo pipefail

wireq=${WIREQ:-target/release/wireq}
runs=${RUNS:-3}
bytes=${BYTES:-100000000}

fail() {
    printf 'applications: %s\n' "$*" >&2
    exit 2
}

[[ -f bench/applications.sh ]] || fail 'run it from the root of the repository'
[[ -x $wireq ]] || fail 'build wireq first'
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# Captures one behind the other: the header of the first, the records of all.
put_together() {
    local folder=${WIREQ_SHARED:-../shared}/data/captures file size=24
    [[ -f $folder/index.tsv ]] || fail 'no capture given, and no shared ones'
    awk -F'\t' '$4 == "1" && $5 == "pcap" && $6 == "ok" { print $1 }' "$folder/index.tsv" >"$tmp/files"
    [[ -s $tmp/files ]] || fail "no capture of Ethernet in $folder"
    head -c 24 "$folder/$(head -n 1 "$tmp/files")" >"$1"
    while ((size < bytes)); do
        while read -r file; do
            tail -c +25 "$folder/$file" >>"$1"
        done <"$tmp/files"
        size=$(stat -c %s "$1")
    done
}

capture=${1:-$tmp/shared.pcap}
[[ -f $capture ]] || put_together "$capture"

# cpu COMMAND...: user and system time in milliseconds; output in out.
cpu() {
    local now
    now=$( (
        TIMEFORMAT='%U %S'
        time "$@" >"$tmp/out" 2>"$tmp/err"
    ) 2>&1) || fail "$*: $(tail -n 3 "$tmp/err")"
    awk '{ printf "%d", ($1 + $2) * 1000 }' <<<"$now"
}

least() {
    [[ -z $1 || $2 -lt $1 ]] && echo "$2" || echo "$1"
}

printf '%s bytes, %s packets\n\n' "$(stat -c %s "$capture")" "$("$wireq" --threads 1 'count() | print count' "$capture")"
printf '| field | wireq ms | tshark ms | times | names here | names there | in both |\n|---|--:|--:|--:|--:|--:|--:|\n'
status=0
for field in dns.qry.name tls.sni; do
    case $field in
        dns.qry.name) theirs=dns.qry.name protocol=dns query="print dns.query count() group by dns.query" ;;
        *) theirs=tls.handshake.extensions_server_name protocol=tls query="print tls.sni count() group by tls.sni" ;;
    esac
    ours_least='' theirs_least=''
    for ((run = 0; run < runs; run++)); do
        theirs_least=$(least "$theirs_least" "$(cpu tshark -n -r "$capture" -Y "$protocol" -T fields -e "$theirs")")
        mv "$tmp/out" "$tmp/theirs"
        for _ in 1 2 3; do
            ours_least=$(least "$ours_least" "$(cpu "$wireq" --threads 1 "$query" "$capture")")
        done
    done
    # The first name of each packet. Names, not their counts: what is repeated in a stream tshark
    # takes for sent again, and shows once.
    cut -d, -f1 "$tmp/theirs" | sed '/^$/d' | sort -u >"$tmp/names"
    cut -f1 "$tmp/out" | sed '/^$/d' | sort -u >"$tmp/ours"
    both=$(comm -12 "$tmp/names" "$tmp/ours" | wc -l)
    names=$(wc -l <"$tmp/ours")
    printf '| %s | %s | %s | %s | %s | %s | %s |\n' "$field" "$ours_least" "$theirs_least" \
        "$((theirs_least / (ours_least > 0 ? ours_least : 1)))" "$names" "$(wc -l <"$tmp/names")" "$both"
    ((both * 10 >= names * 9)) || status=1
done
exit "$status"
