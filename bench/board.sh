#!/bin/bash
# The board: every workload against the hand-written loops and the peers, as one page with plots.
#
# usage: [SIZE=1000] [RUNS=5] [OUT=FOLDER] ... bench/board.sh      from the root of the repository (make bench)
#
#   SIZE        megabytes of each capture (1000); 100 gives a quick look
#   RUNS        measured runs of each command, interleaved (5)
#   OUT         where README.md, runs.md, the samples and the plots go (bench/record/DATE-board)
#   CACHE       where captures and peers are kept between runs (~/.cache/wireq-bench)
#   TSHARK_MB   megabytes that tshark reads, once (100, or SIZE where that is less)
#   GROWTH_MB   the most megabytes piped from the generator (10 * SIZE)
#   KEYS_MAX    the most keys of a group by (10000 * SIZE)
#   AGAIN       1: results that are in OUT are measured anew
#   PEERS       installed: only those peers that are there; nothing is installed
#   ONLY        some of: filter five group tuple uniq flowid text write first size keys threads (all)
#   WIREQ_SHARED  the folder with tools/make-mix and data/captures, for capture A (../shared)
#   WIREQ, EXAMPLES  the programs measured (built with cargo unless given)
#
# Exits 0: measured, the answers agree; 1: answers differ, or a command failed; 2: it can't be measured.
# A goal that is missed is no failure: the page says so.
set -Eeuo pipefail

fail() {
    printf 'board: %s\n' "$*" >&2
    exit 2
}
say() { printf '\nboard: %s\n' "$*" >&2; }
trap 'say "failed at line $LINENO: $BASH_COMMAND"; exit 2' ERR

[[ -f bench/board.sh ]] || fail 'run it from the root of the repository'
size=${SIZE:-1000}
runs=${RUNS:-5}
[[ $size =~ ^[1-9][0-9]*$ && $runs =~ ^[1-9][0-9]*$ ]] || fail 'SIZE and RUNS are whole numbers'
((size >= 10)) || fail 'SIZE is at least 10'
out=${OUT:-bench/record/$(date +%F)-board}
cache=${CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/wireq-bench}
tshark_mb=${TSHARK_MB:-$((size < 100 ? size : 100))}
growth_mb=${GROWTH_MB:-$((size * 10))}
keys_max=${KEYS_MAX:-$((size * 10000))}
shared=${WIREQ_SHARED:-../shared}
target=${CARGO_TARGET_DIR:-target}
wireq=${WIREQ:-$target/release/wireq}
examples=${EXAMPLES:-$target/release/examples}
read -ra only <<<"${ONLY:-filter five group tuple uniq flowid text write first size keys threads}"

# --- Programs and peers ---------------------------------------------------------------------

if [[ -z ${WIREQ-} ]]; then
    cargo build --release --locked -p wireq-cli >&2 || fail 'wireq does not build'
fi
if [[ -z ${EXAMPLES-} ]]; then
    cargo build --release --locked -p wireq-bench --examples >&2 || fail 'the examples do not build'
fi
[[ -x $wireq && -x $examples/limit ]] || fail "no program $wireq or $examples/limit"
command -v python3 >/dev/null || fail 'python3 is missing: install it (make setup)'

[[ ! -e $out/samples.tsv || -n ${AGAIN-} ]] || fail "$out has results: name another OUT, or say AGAIN=1 to measure them anew"
mkdir -p "$cache" "$out" || fail 'no folder for the captures or the results'
cache=$(realpath "$cache")
tmp=$(mktemp -d "$cache/run.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
tables=("$out"/{samples,rows,checks,meta,packets}.tsv)
rm -f "${tables[@]}" "$out/runs.md" "$out"/*.svg
touch "${tables[@]}"

meta() { printf '%s\t%s\n' "$1" "$2" >>"$out/meta.tsv"; }

install_peers() {
    local packages=() peer
    for peer in tcpdump tshark nfdump; do
        command -v "$peer" >/dev/null || packages+=("$peer")
    done
    if ((${#packages[@]})); then
        local root=(env DEBIAN_FRONTEND=noninteractive)
        [[ $(id -u) == 0 ]] || root=(sudo -n "${root[@]}")
        { "${root[@]}" apt-get update -qq && "${root[@]}" apt-get install -y -qq "${packages[@]}"; } >&2 || true
    fi
    [[ -x $cache/tenzir/bin/tenzir ]] || {
        python3 -m venv "$cache/tenzir" && "$cache/tenzir/bin/pip" install --quiet tenzir==6.20.0
    } >&2 || rm -rf "$cache/tenzir"
}
tenzir=$cache/tenzir/bin/tenzir
has() { [[ $1 == tenzir ]] && set -- "$tenzir"; command -v "$1" >/dev/null; }
[[ ${PEERS-} == installed ]] || install_peers
for peer in tcpdump tshark nfpcapd nfdump tenzir; do
    has "$peer" && continue
    say "MISSING PEER: $peer is not here; its rows are left out"
    meta 'missing peer' "$peer: its rows are left out"
done

commit=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)
[[ -z $(git status --porcelain --untracked-files=no 2>/dev/null) ]] || commit+=', with changes that are not committed'
meta commit "$commit"
[[ -z ${WIREQ-}${EXAMPLES-} ]] || meta programs 'given (WIREQ, EXAMPLES), not built from this commit by the board'
meta date "$(date -u '+%F %R') UTC"
meta processor "$(nproc) x $(sed -n 's/^model name\s*: //p' /proc/cpuinfo | head -n 1)"
meta memory "$(awk '/^MemTotal/ { printf "%.0f GiB", $2 / 1048576 }' /proc/meminfo)"
meta kernel "$(uname -sr)"
meta compiler "$(rustc --version 2>/dev/null || echo unknown)"
meta 'load at the start' "$(cut -d' ' -f1-3 /proc/loadavg)"
has tcpdump && meta tcpdump "$(tcpdump --version 2>&1 | head -n 2 | paste -sd' ')"
has tshark && meta tshark "$(tshark --version 2>/dev/null | head -n 1)"
has nfdump && meta nfdump "$(nfdump -V 2>&1 | head -n 1)"
has tenzir && meta tenzir "$("$cache/tenzir/bin/pip" show tenzir 2>/dev/null | sed -n 's/^Version: //p')"

# --- Captures -------------------------------------------------------------------------------

# make_captures MB: A and B of that size, in the cache. B has a million flows a gigabyte.
make_captures() {
    local mb=$1 a=$cache/A-$1.pcap b=$cache/B-$1.pcap
    if [[ ! -f $a && -x $shared/tools/make-mix ]]; then
        say "makes $a (some minutes for a gigabyte, once)"
        "$shared/tools/make-mix" "$shared/data/captures" "$a.new" "${mb}000000" 3600 1 >/dev/null || fail 'make-mix failed'
        mv "$a.new" "$a"
    fi
    if [[ ! -f $b ]]; then
        say "makes $b"
        "$examples/generate" "$b.new" --bytes "${mb}m" --seed 1 --flows "${mb}k" --mean-len 600 || fail 'no capture'
        mv "$b.new" "$b"
    fi
}
make_captures "$size"
make_captures "$tshark_mb"
captures=(A B)
[[ -f $cache/A-$size.pcap ]] || {
    say "MISSING CAPTURE A: no $shared/tools/make-mix here (WIREQ_SHARED); its rows are left out"
    meta 'missing capture' 'A: no make-mix here'
    captures=(B)
}
declare -A recipes=(
    [A]="make-mix captures A.pcap ${size}000000 3600 1"
    [B]="generate B.pcap --bytes ${size}m --seed 1 --flows ${size}k --mean-len 600"
)
for x in "${captures[@]}"; do
    # Assigned first: a failure inside an argument would go on.
    made_of=$("$wireq" 'print count() sum(len) distinct(srcip) as sources' "$cache/$x-$size.pcap" |
        awk -v bytes="$(stat -c %s "$cache/$x-$size.pcap")" \
            '{ printf "%d bytes, %d packets, mean %.0f B, %d source addresses", bytes, $1, $2 / $1, $3 }')
    meta "capture $x" "$made_of, \`${recipes[$x]}\`"
done
# The hand-written loops know VLAN tags and no other tunnel, no extension headers of IPv6, and do not look at the
# lengths that IP states (see README.md): they are timed over whole captures, and answers are compared over this part.
plain='where not ethertype = 0x8847 and not ethertype = 0x8864 and not ethertype = 0x8903 and not ethertype = 0x8926
 and not ethertype = 0x894f and not mpls.label and not pppoe.version
 and not ipv6.nxt = 0 and not ipv6.nxt = 43 and not ipv6.nxt = 44 and not ipv6.nxt = 51 and not ipv6.nxt = 60 and not ipv6.nxt = 135
 and not ((ipprotocol = tcp or ipprotocol = udp) and not dstport)'
plain=${plain//$'\n'/}
for x in "${captures[@]}"; do
    "$wireq" -w "$tmp/$x-$size-plain.pcap" "$plain" "$cache/$x-$size.pcap"
    part=$("$wireq" 'count()' "$tmp/$x-$size-plain.pcap")
    all=$("$wireq" 'count()' "$cache/$x-$size.pcap")
    ((part * 50 >= all * 49)) || fail "only $part of $all packets of $x are plain: answers can't be compared"
    meta "answers over $x" "$part of $all packets: those without MPLS, PPPoE and other tunnels below IP, extension headers of IPv6 and \
headers that IP's length cuts off, which the hand-written loops or tcpdump know nothing of"
done
"$wireq" -w "$tmp/one.pcap" 'head 1' "$cache/B-$size.pcap"

# --- Measuring, comparing answers -----------------------------------------------------------

status=0

# measure NAME RUNS LABEL COMMAND... ::: LABEL COMMAND...: samples and a table; commands of peers that
# are not here are left out by `peer`.
measure() {
    local name=$1 count=$2 labels='' commands=() fresh=1 word
    shift 2
    for word in "$@"; do
        if [[ $fresh ]]; then
            labels+=${labels:+,}$word fresh=
            ((${#commands[@]})) && commands+=(:::)
        elif [[ $word == ::: ]]; then
            fresh=1
        else
            commands+=("$word")
        fi
    done
    say "$name"
    "$examples/compare" --runs "$count" --warmup "${WARMUP:-1}" --name "$name" --samples "$out/samples.tsv" \
        --labels "$labels" -- "${commands[@]}" >>"$out/runs.md" || {
        say "FAILED: $name"
        printf 'differs\t%s\tthe command could not be run\n' "$name" >>"$out/checks.tsv"
        status=1
    }
}

# peer PROGRAM LABEL COMMAND...: fills `also` with one more command, if the program is there.
peer() { if has "$1"; then also+=(::: "${@:2}"); fi; }

# row WORKLOAD CAPTURE AGAINST cpu|wall|rss|ms most|least|report GOAL NAME OURS [THEIRS,...]: a line of the table.
row() { (IFS=$'\t' && printf '%s\n' "$*") >>"$out/rows.tsv"; }

# agree WHAT RULE FILE FILE: two answers are the same bytes.
agree() {
    local verdict=agrees
    cmp -s "$3" "$4" || {
        verdict=differs status=1
        say "ANSWERS DIFFER: $1 ($2)"
        diff <(head -c 100000 "$3") <(head -c 100000 "$4") | head -n 10 >&2 || true
    }
    printf '%s\t%s\t%s\n' "$verdict" "$1" "$2" >>"$out/checks.tsv"
}

# plain_part FILE: where its plain part is.
plain_part() {
    local name=${1##*/}
    echo "$tmp/${name%.pcap}-plain.pcap"
}

# answers NAME QUERY_ARGUMENTS... FILE ::: LIMIT: two threads give what one gives, and both ways of the limit what we
# give over the plain part. Ours of the whole file stays in `one`.
answers() {
    local name=$1 ours=() way
    shift
    while [[ $# -gt 0 && $1 != ::: ]]; do
        ours+=("$1")
        shift
    done
    "$wireq" --threads 1 "${ours[@]}" >"$tmp/one"
    "$wireq" --threads 2 "${ours[@]}" >"$tmp/two"
    agree "$name: two threads and one" 'the same bytes' "$tmp/two" "$tmp/one"
    [[ ${2-} ]] || return 0
    "$wireq" "${ours[@]:0:${#ours[@]}-1}" "$(plain_part "${ours[-1]}")" >"$tmp/plain"
    for way in map block; do
        "$examples/limit" --io "$way" "$2" "$(plain_part "${ours[-1]}")" >"$tmp/limit"
        agree "$name: hand-written loop ($way)" 'the same bytes over the plain part' "$tmp/limit" "$tmp/plain"
    done
}

# ours QUERY_ARGUMENTS...: the two commands of wireq in `also`.
ours() { also=(one "$wireq" --threads 1 "$@" ::: two "$wireq" --threads 2 "$@"); }
limits() { also+=(::: map "$examples/limit" --io map "$@" ::: block "$examples/limit" --io block "$@"); }

# memory WORKLOAD CAPTURE NAME: the rows of resident memory.
memory() {
    row "$1: resident memory, one thread" "$2" '' rss most 48 "$3" one
    row "$1: resident memory, two threads" "$2" '' rss most 96 "$3" two
}

web='where dstport = 80 and ipprotocol = tcp'
untagged='where not ethertype = 0x8100 and not ethertype = 0x88a8 and not ethertype = 0x9100'
tuple='srcip srcport dstip dstport ipprotocol'
top="SELECT srcip, srcport, dstip, dstport, ipprotocol, count(*) AS packets, sum(len) AS bytes WHERE srcip IS NOT NULL
 GROUP BY srcip, srcport, dstip, dstport, ipprotocol ORDER BY bytes DESC LIMIT 10"
top=${top//$'\n'/}
tagless='over the plain part; tcpdump sees IPv6, but not through VLAN tags: ours is asked without them'

board_filter() { # CAPTURE FILE
    local name="$1 filter" work='filter `dstport = 80 and ipprotocol = tcp`, count'
    ours "$web | count()" "$2"
    limits filter-count "$2"
    peer tcpdump tcpdump tcpdump --count -nr "$2" 'tcp dst port 80'
    measure "$name" "$runs" "${also[@]}"
    row "$work" "$1" 'hand-written loop' cpu most 1.1 "$name" one map,block
    row "$work" "$1" 'tcpdump --count' cpu least 1.3 "$name" one tcpdump
    row "$work" "$1" 'tcpdump --count, wall time of two threads' wall least 2.3 "$name" two tcpdump
    row "$work" "$1" 'one thread, wall time of two' wall most 0.56 "$name" two one
    memory 'filter, count' "$1" "$name"
    answers "$name" "$web | count()" "$2" ::: filter-count
    has tcpdump || return 0
    "$wireq" "$untagged | $web | count()" "$(plain_part "$2")" >"$tmp/ours"
    tcpdump --count -nr "$(plain_part "$2")" 'tcp dst port 80' 2>/dev/null | sed 's/ packets\?$//' >"$tmp/theirs"
    agree "$name: tcpdump" "$tagless" "$tmp/ours" "$tmp/theirs"
}

board_five() {
    local name="$1 five filters" work='five filters with counts in one query set' tests theirs queries=() bare=() script=''
    tests=('dstport = 80 and ipprotocol = tcp' 'dstport = 443 and ipprotocol = tcp' 'dstport = 53 and ipprotocol = udp'
        'srcport = 443' 'len > 1000')
    theirs=('tcp dst port 80' 'tcp dst port 443' 'udp dst port 53' 'tcp src port 443 or udp src port 443' 'greater 1001')
    for at in 0 1 2 3 4; do
        queries+=(-e "where ${tests[at]} | count()")
        # The length of a frame is the same with a tag.
        ((at == 4)) && bare+=(-e "where ${tests[at]} | count()") || bare+=(-e "$untagged | where ${tests[at]} | count()")
        script+="tcpdump --count -nr '$2' '${theirs[at]}'; "
    done
    ours "${queries[@]}" "$2"
    limits five-filters "$2"
    peer tcpdump tcpdump bash -c "$script"
    measure "$name" "$runs" "${also[@]}"
    row "$work" "$1" 'five tcpdump runs' cpu least 6 "$name" one tcpdump
    row "$work" "$1" 'hand-written loop' cpu report - "$name" one map,block
    row "$work" "$1" 'one thread, wall time of two' wall most 0.56 "$name" two one
    memory 'five filters' "$1" "$name"
    answers "$name" "${queries[@]}" "$2" ::: five-filters
    has tcpdump || return 0
    "$wireq" "${bare[@]}" "$(plain_part "$2")" >"$tmp/ours"
    bash -c "${script//$2/$(plain_part "$2")}" 2>/dev/null | sed 's/ packets\?$//' >"$tmp/theirs"
    agree "$name: tcpdump" "$tagless" "$tmp/ours" "$tmp/theirs"
}

board_group() {
    local name="$1 group by srcip" query='print srcip count() sum(len) group by srcip'
    ours "$query" "$2"
    limits group-srcip "$2"
    measure "$name" "$runs" "${also[@]}"
    row 'group by srcip: count, sum(len)' "$1" 'hand-written hash loop' cpu most 1.2 "$name" one map,block
    row 'group by srcip: count, sum(len)' "$1" 'one thread, wall time of two' wall most 0.56 "$name" two one
    memory 'group by srcip' "$1" "$name"
    answers "$name" "$query" "$2" ::: group-srcip
}

board_tuple() {
    local name="$1 group by the 5-tuple" work='group by the 5-tuple: packets, bytes, top 10' folder=$tmp/nfcapd flows pipe way other
    ours "$top" "$2"
    limits group-tuple "$2"
    printf -v flows "rm -rf '%s'; mkdir '%s'; nfpcapd -r '%s' -l '%s' -t 86400 >/dev/null 2>&1 && nfdump -q -6 -N -R '%s' \
-n 10 -A proto,srcip,srcport,dstip,dstport -O bytes -o 'fmt:%%sa %%sp %%da %%dp %%pr %%pkt'" \
        "$folder" "$folder" "$2" "$folder" "$folder"
    pipe="from_file \"$2\" { read_pcap } | p = decapsulate(this) | summarize s=p.ip?.src?, sp=p.tcp?.src_port?, \
su=p.udp?.src_port?, d=p.ip?.dst?, dp=p.tcp?.dst_port?, du=p.udp?.dst_port?, t=p.ip?.type?, packets=count(), \
bytes=sum(original_packet_length) | where s != null | sort -bytes | head 10 | write_ndjson"
    if [[ $1 == B ]]; then
        peer nfpcapd nfdump bash -c "$flows"
        peer tenzir tenzir "$tenzir" "$pipe"
    fi
    measure "$name" "$runs" "${also[@]}"
    row "$work" "$1" 'hand-written loop' cpu most 1.4 "$name" one map,block
    if [[ $1 == B ]]; then
        row "$work" "$1" 'nfpcapd + nfdump' cpu least 8 "$name" one nfdump
        row "$work" "$1" tenzir cpu least 10 "$name" one tenzir
    fi
    row "$work" "$1" 'one thread, wall time of two' wall most 0.7 "$name" two one
    answers "$name" "$top" "$2" ::: group-tuple
    [[ $1 == B ]] || return 0
    # The tenth place can be another one's where bytes are others: each ten have to be among the other's hundred.
    if has nfpcapd; then
        local hundred=${flows/-n 10/-n 100} fields='{ print $1, $2, $3, $4, $5 == 6 ? "tcp" : $5 == 17 ? "udp" : $5, $6 }'
        bash -c "$hundred" | awk "$fields" OFS='\t' >"$tmp/theirs"
        "$wireq" "${top/LIMIT 10/LIMIT 100}" "$2" | cut -f 1-6 >"$tmp/ours"
        for way in ours theirs; do
            [[ $way == ours ]] && other=theirs || other=ours
            head -n 10 "$tmp/$way" | sort >"$tmp/ten"
            sort "$tmp/$other" | comm -12 "$tmp/ten" - >"$tmp/found"
            agree "$name: nfdump, the ten of $way" 'among the hundred of the other, with the same packets; bytes are those of IP there' \
                "$tmp/ten" "$tmp/found"
        done
    fi
    if has tenzir; then
        sort "$tmp/one" >"$tmp/ours"
        "$tenzir" "$pipe" 2>/dev/null | python3 -c '
import json, sys
for line in sys.stdin:
    r = json.loads(line)
    either = lambda a, b: r.get(a) if r.get(a) is not None else r.get(b)
    name = {6: "tcp", 17: "udp"}.get(r["t"], r["t"])
    print(r["s"], either("sp", "su"), r["d"], either("dp", "du"), name, r["packets"], r["bytes"], sep="\t")' |
            sort >"$tmp/theirs"
        agree "$name: tenzir" 'the ten 5-tuples, packets and bytes' "$tmp/ours" "$tmp/theirs"
    fi
}

board_uniq() {
    local name="$1 uniq" query='uniq srcip dstip srcport dstport | count()'
    ours "$query" "$2"
    limits uniq4 "$2"
    measure "$name" "$runs" "${also[@]}"
    row 'uniq of 4 fields' "$1" 'hand-written hash loop' cpu most 1.4 "$name" one map,block
    row 'uniq of 4 fields' "$1" 'one thread, wall time of two' wall most 0.7 "$name" two one
    answers "$name" "$query" "$2" ::: uniq4
}

board_flowid() {
    local name="$1 flowid" query="flowid $tuple | where finish | print count() sum(packets) as packets sum(bytes) as bytes \
max(bytes) as most max(finish.sec) as last"
    ours "$query" "$2"
    limits flowid "$2"
    measure "$name" "$runs" "${also[@]}"
    row 'flowid of the 5-tuple' "$1" 'hand-written hash loop' cpu most 1.8 "$name" one map,block
    row 'flowid of the 5-tuple' "$1" 'one thread, wall time of two' wall most 0.7 "$name" two one
    answers "$name" "$query" "$2" ::: flowid
}

board_text() {
    local name="$1 text" query='print srcip dstip dstport len' small=$cache/$1-$tshark_mb.pcap format also
    for format in text csv jsonl; do
        ours -o "$format" "$query" "$2"
        measure "$name: $format" "$runs" "${also[@]}"
        row "four fields to $format" "$1" 'one thread, wall time of two' wall report - "$name: $format" two one
        answers "$name: $format" -o "$format" "$query" "$2"
    done
    for format in text csv jsonl; do
        row "four fields to $format ($tshark_mb MB)" "$1" 'tshark -T fields' cpu least 100 "$name, tshark" "$format" tshark
    done
    has tshark || return 0
    local theirs=(tshark -n -r "$small" -T fields -E occurrence=f -e ip.src -e ipv6.src -e ip.dst -e ipv6.dst
        -e tcp.dstport -e udp.dstport -e frame.len)
    also=()
    for format in text csv jsonl; do
        also+=("$format" "$wireq" --threads 1 -o "$format" "$query" "$small" :::)
    done
    # The first program of the one round would read the capture from disk.
    cat "$small" >/dev/null
    WARMUP=0 measure "$name, tshark" 1 "${also[@]}" tshark "${theirs[@]}"
    "$wireq" "$query" "$small" >"$tmp/ours"
    "${theirs[@]}" 2>/dev/null >"$tmp/theirs"
    paste "$tmp/ours" "$tmp/theirs" | awk -F'\t' '
        function same(ours, a, b) { return ours == a || ours == b }
        { good += NF == 11 && same($1, $5, $6) && same($2, $7, $8) && same($3, $9, $10) && $4 == $11 }
        END { printf "%d %d\n", good, NR }' >"$tmp/good"
    read -r good all <"$tmp/good"
    ((good * 1000 >= all * 995)) && echo "$all" >"$tmp/good" || echo "$good" >"$tmp/good"
    echo "$all" >"$tmp/all"
    agree "$name: tshark" "$good of $all lines equal; at least 99.5 % have to be (it shows cut headers, and follows tunnels)" \
        "$tmp/good" "$tmp/all"
}

board_write() {
    local name="$1 write" work='matching packets to a new file'
    also=(one "$wireq" --threads 1 -w "$tmp/one.out" "$web" "$2" ::: two "$wireq" --threads 2 -w "$tmp/two.out" "$web" "$2")
    peer tcpdump tcpdump tcpdump -nr "$2" -w "$tmp/theirs.out" 'tcp dst port 80'
    measure "$name" "$runs" "${also[@]}"
    row "$work" "$1" 'tcpdump -w' cpu most 1.0 "$name" one tcpdump
    row "$work" "$1" 'one thread, wall time of two' wall report - "$name" two one
    memory "$work" "$1" "$name"
    agree "$name: two threads and one" 'the same bytes' "$tmp/two.out" "$tmp/one.out"
    has tcpdump || return 0
    "$wireq" -w "$tmp/one.out" "$untagged | $web" "$(plain_part "$2")"
    tcpdump -nr "$(plain_part "$2")" -w "$tmp/theirs.out" 'tcp dst port 80' 2>/dev/null
    agree "$name: tcpdump" "$tagless" "$tmp/one.out" "$tmp/theirs.out"
    rm -f "$tmp"/*.out
}

board_first() {
    also=(one "$wireq" --threads 1 'print srcip dstip len' "$tmp/one.pcap" ::: two "$wireq" 'print srcip dstip len' "$tmp/one.pcap")
    peer tcpdump tcpdump tcpdump -nr "$tmp/one.pcap"
    measure 'first row' $((3 * runs)) "${also[@]}"
    row 'start to end over a file of one packet, ms' - 'tcpdump' ms most 20 'first row' two tcpdump
}

# --- How cost grows -------------------------------------------------------------------------

# Each is piped from the generator: the process that is measured becomes wireq, and the generator is not waited for.
# One of a megabyte beside it is what starting and the first touch of buffers cost.
board_size() {
    local mb count packets query="$web | count()" from start="'$examples/generate' - --bytes 1m --seed 1 --flows 1k --mean-len 600"
    local read="exec '$wireq' --threads 1 '$query' - <'$tmp/pipe'"
    mkfifo "$tmp/pipe"
    packets=$("$wireq" 'count()' <(eval "$start"))
    printf '%s\t%s\n' 'size 1' "$packets" >>"$out/packets.tsv"
    for mb in 10 30 100 300 1000 3000 10000 30000; do
        ((mb <= growth_mb)) || break
        # A millisecond is much of ten megabytes: more runs where they are short.
        ((mb <= 300)) && count=$((4 * runs)) || count=$((runs < 3 ? runs : 3))
        from="'$examples/generate' - --bytes ${mb}m --seed 1 --flows ${mb}k --mean-len 600"
        packets=$("$wireq" 'count()' <(eval "$from"))
        printf '%s\t%s\n' "size $mb" "$packets" >>"$out/packets.tsv"
        WARMUP=0 measure "size $mb" "$count" start sh -c "$start >'$tmp/pipe' & $read" ::: piped sh -c "$from >'$tmp/pipe' & $read"
    done
}

board_keys() {
    local keys
    for ((keys = 10; keys <= keys_max; keys *= 10)); do
        "$examples/keys" "$tmp/keys.pcap" --keys "$keys" --times $((keys_max / keys))
        printf '%s\t%s\n' "keys $keys" $((keys_max / keys * keys)) >>"$out/packets.tsv"
        measure "keys $keys" $((runs < 3 ? runs : 3)) count "$wireq" --threads 1 'count()' "$tmp/keys.pcap" \
            ::: group "$wireq" --threads 1 'count() group by srcip dstip | count()' "$tmp/keys.pcap"
        "$wireq" 'count() as packets group by srcip dstip | print count() sum(packets) as all max(packets) as most min(packets) as least' \
            "$tmp/keys.pcap" | tr '\t' ' ' >"$tmp/ours"
        echo "$keys $((keys_max / keys * keys)) $((keys_max / keys)) $((keys_max / keys))" >"$tmp/expected"
        agree "group by of $keys keys" 'keys, packets, most and least of a key as generated' "$tmp/ours" "$tmp/expected"
    done
    rm -f "$tmp/keys.pcap"
}

board_threads() {
    local query count name
    for name in filter tuple; do
        [[ $name == filter ]] && query="$web | count()" || query=$top
        also=()
        for count in {1..8}; do
            also+=("$count" "$wireq" --threads "$count" "$query" "$cache/B-$size.pcap" :::)
        done
        measure "threads $name" "$runs" "${also[@]:0:${#also[@]}-1}"
        "$wireq" --threads 1 "$query" "$cache/B-$size.pcap" >"$tmp/one"
        for count in {2..8}; do
            "$wireq" --threads "$count" "$query" "$cache/B-$size.pcap" >"$tmp/many"
            agree "threads $name: $count threads and one" 'the same bytes' "$tmp/many" "$tmp/one"
        done
    done
}

for part in "${only[@]}"; do
    case $part in
    filter | five | group | tuple | uniq | flowid | text | write)
        for x in "${captures[@]}"; do
            also=()
            "board_$part" "$x" "$cache/$x-$size.pcap"
        done
        ;;
    first | size | keys | threads) "board_$part" ;;
    *) fail "there is no part $part" ;;
    esac
done
meta 'load at the end' "$(cut -d' ' -f1-3 /proc/loadavg)"
sed -i -e "s|$cache/||g" -e "s|$tmp|tmp|g" "$out/runs.md"
find "$out" -name "*.tsv" -empty -delete
python3 bench/board.py "$out" || fail 'the page could not be written'
((status == 0)) || say "SOMETHING DIFFERS OR FAILED: see $out/checks.tsv"
say "done: $out/README.md"
exit $status
