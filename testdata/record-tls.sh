#!/usr/bin/env bash
# Record testdata/captures/tls.pcap: OpenSSL's client and server in a network namespace of their own.
# Run as root:
#
#     testdata/record-tls.sh [FOLDER]        (default: captures/ beside this script)
#
# The client asks for www.wq.test with TLS 1.2 and 1.3, with and without application protocols, once
# without a name, and once for a version that the server does not speak.
set -euo pipefail

out=$(realpath -m "${1:-$(dirname "${BASH_SOURCE[0]}")/captures}")
ns=wq-tls
work=

main() {
    [ "$(id -u)" = 0 ] || { echo "record-tls.sh: must run as root" >&2; exit 1; }
    trap clean_up EXIT
    work=$(mktemp -d)
    mkdir -p "$out"
    ip netns add "$ns"
    ip -n "$ns" link set lo up
    on openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 \
        -subj '/C=XX/O=wireq/CN=www.wq.test' -addext 'subjectAltName=DNS:www.wq.test,DNS:wq.test,IP:127.0.0.1' \
        -keyout "$work/key.pem" -out "$work/cert.pem" 2>>"$work/log"
    on openssl s_server -accept 8443 -cert "$work/cert.pem" -key "$work/key.pem" -quiet \
        -min_protocol TLSv1.2 -alpn h2,http/1.1 </dev/null >>"$work/log" 2>&1 &
    until on openssl s_client -connect 127.0.0.1:8443 </dev/null >>"$work/log" 2>&1; do sleep 0.1; done
    on tcpdump -Z root -i lo -s 0 --immediate-mode -U -w "$work/tls.pcap" tcp 2>"$work/tcpdump" &
    until grep -qs 'listening on' "$work/tcpdump"; do sleep 0.1; done
    ask -tls1_2 -servername www.wq.test
    ask -tls1_2 -servername www.wq.test -alpn h2,http/1.1
    ask -tls1_3 -servername www.wq.test -alpn http/1.1
    ask -tls1_3 -noservername
    ask -tls1_1 -servername old.wq.test -cipher 'ALL:@SECLEVEL=0'
    sleep 0.5
    kill -INT "$(ip netns pids "$ns" | xargs -n 1 ps -o pid=,comm= -p | awk '$2 == "tcpdump" { print $1 }')"
    sleep 0.5
    cp "$work/tls.pcap" "$out/tls.pcap"
    capinfos -T -r -c -s -u "$out/tls.pcap"
}

clean_up() {
    local pids
    # shellcheck disable=SC2086 # several process ids
    pids=$(ip netns pids "$ns" 2>/dev/null) && [ -n "$pids" ] && kill -9 $pids 2>/dev/null || true
    ip netns del "$ns" 2>/dev/null || true
    rm -rf "$work"
}

# on COMMAND...: run it in the namespace, with a clean environment
on() {
    ip netns exec "$ns" env -i PATH="$PATH" LANG=C.UTF-8 "$@"
}

ask() {
    on openssl s_client -connect 127.0.0.1:8443 "$@" </dev/null >>"$work/log" 2>&1 || true
}

main "$@"
