#!/bin/bash
# Rules: how does time grow with their number, by each strategy, with and without vector functions?
#
# usage: [RUNS=3] [OUT=FOLDER] ... bench/rules.sh [CAPTURE.pcap]      from the root of the repository
#
#   COUNTS      how many rules (1 10 50 150 500 1000 all); `all` are those that are understood as single packets
#   FIGURES     of how many rules the tests are counted (150)
#   SLOW_MIN    beyond so many rules the slow ways (those without vector functions, but dataflow) are measured over a
#               tenth of the packets, every tenth (50)
#   SIZE        megabytes of the capture, where none is given (100)
#   GENERATED   1: the capture is one of the generator, not one of make-mix
#   RUNS        measured runs of each command, interleaved (3)
#   OUT         where README.md, the plot and the samples go (bench/record/DATE-slides)
#   CACHE       where captures are kept between runs (~/.cache/wireq-bench)
#   WIREQ_SHARED  the folder with data/rules, data/captures and tools/make-mix (../shared)
#   WIREQ, EXAMPLES  the programs (target/release/wireq, target/release/examples)
#
# Rules are those of snort-gpl.rules, in the order of the SHA-256 of their sid (as decimal text): the first N of
# them. Each way has to give the same alerts, byte for byte. What a run takes over a file of one packet, compiling
# included, is subtracted. Exits 0: measured, the alerts agree; 1: alerts differ; 2: it can't be measured.
set -euo pipefail

fail() {
    printf 'rules: %s\n' "$*" >&2
    exit 2
}
say() { printf 'rules: %s\n' "$*" >&2; }

[[ -f bench/rules.sh ]] || fail 'run it from the root of the repository'
wireq=${WIREQ:-target/release/wireq}
examples=${EXAMPLES:-target/release/examples}
runs=${RUNS:-3}
size=${SIZE:-100}
shared=${WIREQ_SHARED:-../shared}
cache=${CACHE:-$HOME/.cache/wireq-bench}
out=${OUT:-bench/record/$(date +%F)-slides}
read -ra counts <<<"${COUNTS:-1 10 50 150 500 1000 all}"
read -ra figures <<<"${FIGURES:-150}"
rules=$shared/data/rules/snort-gpl.rules
[[ -x $wireq && -x $examples/compare && -x $examples/generate ]] || fail 'build wireq and the examples first'
[[ -f $rules ]] || fail "THERE ARE NO RULES: $rules is missing (WIREQ_SHARED names the shared folder)"
mkdir -p "$cache" "$out"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

capture=${1-}
recipe=${capture##*/}
if [[ -z $capture && -z ${GENERATED-} ]]; then
    capture=$cache/A-$size.pcap
    recipe="make-mix captures A.pcap ${size}000000 3600 1"
    if [[ ! -f $capture && -x $shared/tools/make-mix ]]; then
        "$shared/tools/make-mix" "$shared/data/captures" "$capture.new" "${size}000000" 3600 1 >/dev/null || fail 'make-mix failed'
        mv "$capture.new" "$capture"
    fi
    [[ -f $capture ]] || say "THERE IS NO MIX: $shared/tools/make-mix is missing (WIREQ_SHARED); a generated capture takes its place"
fi
if [[ ! -f $capture ]]; then
    [[ -z ${1-} ]] || fail "cannot read $1"
    capture=$cache/B-$size.pcap
    recipe="generate B.pcap --bytes ${size}m --seed 1 --flows ${size}k --mean-len 600"
    if [[ ! -f $capture ]]; then
        "$examples/generate" "$capture.new" --bytes "${size}m" --seed 1 --flows "${size}k" --mean-len 600
        mv "$capture.new" "$capture"
    fi
fi
"$wireq" -w "$tmp/one.pcap" 'head 1' "$capture" 2>/dev/null || fail "cannot read $capture"

rm -f "$out"/{samples,figures,meta,counts,packets}.tsv "$out"/*.svg
touch "$out"/{samples,figures,meta,counts,packets}.tsv
meta() { printf '%s\t%s\n' "$1" "$2" >>"$out/meta.tsv"; }
commit=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)
[[ -z $(git status --porcelain --untracked-files=no 2>/dev/null) ]] || commit+=', with changes that are not committed'
meta commit "$commit"
meta date "$(date -u '+%F %R') UTC"
meta processor "$(nproc) x $(sed -n 's/^model name\s*: //p' /proc/cpuinfo | head -n 1)"
meta compiler "$(rustc --version 2>/dev/null || echo unknown)"
meta 'load at the start' "$(cut -d' ' -f1-3 /proc/loadavg)"
packets=$("$wireq" 'count() | print count' "$capture")
"$wireq" -w "$tmp/tenth.pcap" 'sample 10' "$capture"
tenth=$("$wireq" 'count() | print count' "$tmp/tenth.pcap")
meta capture "$(stat -Lc %s "$capture") bytes, $packets packets, \`$recipe\`"

# The sids that are understood, with and without what is about flows and applications.
for kind in whole packets; do
    [[ $kind == whole ]] && options=() || options=(--packet-only)
    "$wireq" rules show --as-rule "${options[@]}" "$rules" 2>/dev/null |
        sed -n 's/.*[ (]sid:\([0-9]*\);.*/\1/p' | sort -u >"$tmp/$kind" || true
    [[ -s $tmp/$kind ]] || fail 'no rule is understood'
done
known=$(sed -n 's/.*[ (;]sid: *\([0-9]*\) *;.*/\1/p' "$rules" | sort -u | wc -l)
whole=$(wc -l <"$tmp/whole") all=$(wc -l <"$tmp/packets")
meta rules "$known with a sid; understood as single packets: $all (\`--packet-only\`), not: $((known - all)); whole: $whole"
python3 bench/rules.py pick "$rules" "$tmp/whole" "$tmp/whole.rules"
python3 bench/rules.py pick "$rules" "$tmp/packets" "$tmp/packets.rules"

query() { printf "rules --packet-only '%s' | print ts sid srcip srcport dstip dstport len" "$1"; }
ways=(auto/on auto/off naive/off snort/on snort/off counting/on counting/off dataflow/on dataflow/off)
slow() { [[ $1 == */off && $1 != dataflow/off && $2 -gt ${SLOW_MIN:-50} ]]; }
way() { printf '%s\n' --threads 1 --strategy "${1%/*}" --vector "${1#*/}"; }

status=0
for count in "${counts[@]}"; do
    [[ $count == all ]] && count=$all
    ((count <= all)) || continue
    head -n "$count" "$tmp/packets.rules" >"$tmp/some.rules"
    text=$(query "$tmp/some.rules")
    commands=() labels='' alerts=0
    declare -A expected=()
    for each in "${ways[@]}"; do
        over=$capture of=$packets
        if slow "$each" "$count"; then
            over=$tmp/tenth.pcap of=$tenth
        fi
        mapfile -t options < <(way "$each")
        # What the others are compared with: the index, over either capture.
        [[ -n ${expected[$over]-} ]] || expected[$over]=$("$wireq" "$text" "$over" | tee "$tmp/alerts" | sha256sum)
        [[ $over == "$capture" && $alerts == 0 ]] && alerts=$(wc -l <"$tmp/alerts")
        "$wireq" "${options[@]}" "$text" "$over" >"$tmp/out" 2>"$tmp/err" || fail "$each: $(<"$tmp/err")"
        if [[ $(sha256sum <"$tmp/out") != "${expected[$over]}" ]]; then
            say "ALERTS DIFFER: $each with $count rules"
            meta 'ALERTS DIFFER' "$each with $count rules"
            status=1
        fi
        printf '%s rules\t%s\t%s\n' "$count" "$each" "$of" >>"$out/packets.tsv"
        commands+=(::: "$wireq" "${options[@]}" "$text" "$over" ::: "$wireq" "${options[@]}" "$text" "$tmp/one.pcap")
        labels+=",$each,$each one"
    done
    printf '%s\t%s\t%s\n' "$count" "$alerts" "${expected[$capture]%% *}" >>"$out/counts.tsv"
    say "$count rules, $alerts alerts"
    "$examples/compare" --runs "$runs" --warmup 0 --name "$count rules" --samples "$out/samples.tsv" \
        --labels "${labels#,}" -- "${commands[@]:1}" >/dev/null || fail 'compare failed'
done

for count in "${figures[@]}"; do
    for kind in packets whole; do
        head -n "$count" "$tmp/$kind.rules" >"$tmp/some.rules"
        used=$(wc -l <"$tmp/some.rules")
        for each in "${ways[@]}"; do
            mapfile -t options < <(way "$each")
            "$wireq" explain --analyze "${options[@]}" "$(query "$tmp/some.rules")" "$tmp/tenth.pcap" 2>/dev/null |
                sed -n "s,^rules .* \([0-9]*\) tests on ,\1 tests on ,p" |
                sed "s,^,$used\t$kind\t$each\t," >>"$out/figures.tsv"
        done
    done
done
((status == 1)) || meta alerts 'the same by all ways, byte for byte'
meta 'load at the end' "$(cut -d' ' -f1-3 /proc/loadavg)"
meta runs "$runs of each command, interleaved; median of the differences of a round"
python3 bench/rules.py page "$out" || fail 'the page could not be written'
((status == 0)) || say 'ALERTS DIFFER: see above'
say "done: $out/README.md"
exit $status
