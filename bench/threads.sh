#!/bin/bash
# Threads: how much sooner are several done, and what do they cost?
#
# usage: bench/threads.sh CAPTURE [THREADS ...]      from the root of the repository
#
# Runs each query on one thread and on so many (2 4), interleaved, RUNS times (7), and compares the
# outputs byte for byte. Prints the Markdown tables of compare (CPU time, wall time, peak resident size)
# for bench/record/. Wall times mean something on an otherwise idle machine only.
#
# WIREQ (target/release/wireq) and EXAMPLES (target/release/examples) have to be built. Exits 0: measured,
# outputs equal; 1: outputs differ; 2: it can't be measured.
set -euo pipefail

source "$(dirname "$0")/common.sh"
runs=${RUNS:-7}
default_threads='2 4'
on_threads 'bench/threads.sh CAPTURE [THREADS ...]' "$@"

tuple='srcip srcport dstip dstport ipprotocol'
queries=(
    'where dstport = 80 and ipprotocol = tcp | count()'
    'print srcip sum(len) group by srcip'
    "print $tuple count() sum(len) group by $tuple"
    'print ts srcip dstip len'
    "flowid $tuple | print flowid len"
)
for query in "${queries[@]}"; do
    compared "$query" "$query" "$capture" || exit
    echo
done
