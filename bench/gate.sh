#!/bin/bash
# The instruction gate: counts what small workloads execute, under callgrind, and compares
# the counts with those recorded in bench/gate.tsv.
#
# usage: bench/gate.sh [--record]      from the root of the repository
#
# Counts do not depend on how busy the machine is, so 5 % more of them is a change of the
# program (or of the compiler: then record anew, and say so in the commit). Each count is
# that of the workload less that of the same query over captures without a packet, so that
# start-up does not hide the work.
#
# WIREQ (target/release/wireq) and GENERATE (target/release/examples/generate) are built
# where they are missing. Exits 0: as recorded; 1: more than 5 % above, or not recorded;
# 2: it can't be measured.
set -euo pipefail

wireq=${WIREQ:-target/release/wireq}
generate=${GENERATE:-target/release/examples/generate}
table=bench/gate.tsv
tolerance_percent=5

fail() {
    printf 'gate: %s\n' "$*" >&2
    exit 2
}

record=
case "$#:${1-}" in
0:) ;;
1:--record) record=1 ;;
*) fail 'usage: bench/gate.sh [--record]' ;;
esac
[[ -f $table ]] || fail "no $table here: run it from the root of the repository"
valgrind=$(command -v valgrind) || fail 'valgrind is missing: install it (make setup)'

if [[ -z ${WIREQ-} && ! -x $wireq ]]; then
    cargo build --release --bin wireq >&2 || fail 'wireq does not build'
fi
if [[ -z ${GENERATE-} && ! -x $generate ]]; then
    cargo build --release -p wireq-bench --example generate >&2 || fail 'generate does not build'
fi
[[ -x $wireq ]] || fail "no program $wireq"
[[ -x $generate ]] || fail "no program $generate"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cp "$wireq" "$tmp/wireq"

# Few long flows of short packets; and many flows, most of them of one packet.
"$generate" "$tmp/few.pcap" --bytes 1m --seed 1 --flows 300 --mean-len 240
"$generate" "$tmp/many.pcap" --bytes 1m --seed 2 --flows 5000 --mean-len 200
"$generate" "$tmp/empty.pcap" --bytes 24 --seed 1
for port in {1..100}; do
    echo "where dstport = $port | count() | print count"
done >"$tmp/hundred.wq"
for test in 'dstport = 80 and ipprotocol = tcp' 'dstport = 443 and ipprotocol = tcp' \
    'dstport = 53 and ipprotocol = udp' 'srcport = 443' 'len > 1000'; do
    echo "where $test | count() | print count"
done >"$tmp/five.wq"

# What would make counts differ between machines or runs is fixed here: time zone, language,
# hash seed, and which memcpy the C library picks and from what size on. Nothing else is in the
# environment, and names of files are relative: what stands there moves the stack, and from addresses
# there tables of the standard kind take their seeds. Valgrind itself hides AVX-512.
tunables=glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX2,-ERMS,-FSRM
# Nor is where small pieces of memory were before they are put together again: that is chance.
tunables+=:glibc.malloc.mxfast=0
tunables+=:glibc.cpu.x86_non_temporal_threshold=0xc0000:glibc.cpu.x86_rep_movsb_threshold=0x800

# instructions QUERY_ARGUMENTS FILE FILE: prints the count of one run of wireq.
instructions() {
    local arguments=("$1")
    # A column `-f NAME` stands for a file of statements in the folder above, `-w QUERY` for one whose
    # packets go to a capture, `-o FORMAT QUERY` for one printed in that format.
    case $1 in
    '-f '*) arguments=(-f "${1#-f }") ;;
    '-w '*) arguments=(-w written.pcap "${1#-w }") ;;
    '-o '*)
        local rest=${1#-o }
        arguments=(-o "${rest%% *}" "${rest#* }")
        ;;
    esac
    (cd "$tmp" && env -i TZ=UTC LC_ALL=C GLIBC_TUNABLES="$tunables" "$valgrind" --tool=callgrind \
        --callgrind-out-file=/dev/null --log-file=valgrind.log ./wireq --seed 1 --threads 1 \
        "${arguments[@]}" "${@:2}" >/dev/null 2>stderr.log) || {
        cat "$tmp/stderr.log" >&2
        fail "wireq failed on: $1"
    }
    awk '$2 == "Collected" { print $4; found = 1 } END { exit !found }' "$tmp/valgrind.log" || {
        cat "$tmp/valgrind.log" >&2
        fail 'valgrind gave no count'
    }
}

status=0
printf '%-20s %14s %14s %9s\n' name recorded now 'change %'
while IFS=$'\t' read -r name query recorded; do
    if [[ $name == '#'* || -z $name ]]; then
        printf '%s\n' "$name${query:+$'\t'$query}${recorded:+$'\t'$recorded}" >>"$tmp/gate.tsv"
        continue
    fi
    [[ $recorded =~ ^[0-9]+$ ]] || fail "$table: $name has no count in its third column"
    # Assigned one by one: a failure inside $(...) then ends the script.
    all=$(instructions "$query" few.pcap many.pcap </dev/null)
    start=$(instructions "$query" empty.pcap empty.pcap </dev/null)
    now=$((all - start))
    printf '%s\t%s\t%s\n' "$name" "$query" "$now" >>"$tmp/gate.tsv"

    change=- note=
    if ((recorded == 0)); then
        [[ -n $record ]] || { note='not recorded: run bench/gate.sh --record' status=1; }
    else
        change=$(awk -v a="$recorded" -v b="$now" 'BEGIN { printf "%+.2f", (b - a) * 100 / a }')
        if ((now * 100 > recorded * (100 + tolerance_percent))); then
            note='MORE than recorded'
            [[ -n $record ]] || status=1
        elif ((now * 100 < recorded * (100 - tolerance_percent))); then
            note='less: record it (bench/gate.sh --record)'
        fi
    fi
    printf '%-20s %14s %14s %9s%s\n' "$name" "$recorded" "$now" "$change" "${note:+  $note}"
done <"$table"

if [[ -n $record ]]; then
    cp "$tmp/gate.tsv" "$table"
    echo "recorded in $table"
fi
exit $status
