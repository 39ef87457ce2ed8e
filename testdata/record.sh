#!/usr/bin/env bash
# Record testdata/captures/{office,vlan,ipv6}.pcap: real programs that talk in network namespaces
# made here. Run as root:
#
#     testdata/record.sh [FOLDER]        (default: captures/ beside this script)
#
# Five hosts wq-a to wq-e hang on a bridge in a sixth namespace, wq-sw, where tcpdump listens.
# None has a route to anywhere else, and everything goes away at the end, also after an error.
#
#     wq-a  10.77.0.1  fd77::1  web server (80, 8080), ssh banner (22), syslog (514)
#     wq-b  10.77.0.2  fd77::2  name server (53)
#     wq-c  10.77.0.3  fd77::3  client
#     wq-d  10.77.0.4  fd77::4  client
#     wq-e  10.77.0.5  fd77::5  client, and a scan of ports
#
# wq-a and wq-c are in VLAN 42 too (10.77.42.x, fd77:42::x), wq-a and wq-d in VLAN 43 with
# priority 5 (10.77.43.x). A VLAN interface is a tap whose frames a small relay tags: that needs
# no 8021q module, and the tagged frames cross the bridge like any others.
set -euo pipefail

snaplen=200
hosts=(a b c d e)
out=$(realpath -m "${1:-$(dirname "${BASH_SOURCE[0]}")/captures}")
work=
capture=

main() {
    check
    trap clean_up EXIT
    trap 'exit 130' INT TERM
    work=$(mktemp -d)
    mkdir -p "$out"
    make_network
    write_relay
    make_vlan 42 0 a c
    make_vlan 43 5 a d
    start_servers
    record office office
    record vlan vlans
    record ipv6 six
}

check() {
    [ "$(id -u)" = 0 ] || { echo "record.sh: must run as root" >&2; exit 1; }
    local pair missing=()
    for pair in ip:iproute2 ethtool:ethtool tcpdump:tcpdump capinfos:wireshark-common curl:curl \
        python3:python3 dnsmasq:dnsmasq-base dig:bind9-dnsutils ping:iputils-ping nc:netcat-openbsd; do
        command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
    done
    if [ ${#missing[@]} -gt 0 ]; then
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
    fi
    local ns
    for ns in sw "${hosts[@]}"; do
        if [ -e "/run/netns/wq-$ns" ] || [ -e "/etc/netns/wq-$ns" ]; then
            echo "record.sh: wq-$ns exists already" >&2
            exit 1
        fi
    done
}

clean_up() {
    local ns pids
    # shellcheck disable=SC2086 # several process ids
    for ns in sw "${hosts[@]}"; do
        pids=$(ip netns pids "wq-$ns" 2>/dev/null) || continue
        [ -z "$pids" ] || kill -9 $pids 2>/dev/null || true
        ip netns del "wq-$ns"
        rm -rf "/etc/netns/wq-$ns"
    done
    rmdir /etc/netns 2>/dev/null || true
    rm -rf "$work"
}

# on HOST COMMAND...: run it in that host's namespace, with a clean environment
on() {
    local host=$1
    shift
    ip netns exec "wq-$host" env -i PATH="$PATH" LANG=C.UTF-8 "$@"
}

setting() {
    on "$1" sh -c "echo $3 > /proc/sys/net/$2"
}

make_network() {
    ip netns add wq-sw
    setting sw ipv6/conf/all/disable_ipv6 1
    setting sw ipv6/conf/default/disable_ipv6 1
    ip -n wq-sw link add br0 type bridge mcast_snooping 0
    ip -n wq-sw link set br0 up
    local i
    for i in "${!hosts[@]}"; do
        make_host "${hosts[i]}" $((i + 1))
    done
}

make_host() {
    local host=$1 number=$2 ns=wq-$1
    ip netns add "$ns"
    mkdir -p "/etc/netns/$ns"
    ask "$host" 10.77.0.2
    setting "$host" ipv6/conf/default/router_solicitations 0
    ip -n "$ns" link add eth0 address "02:00:0a:4d:00:0$number" type veth peer name "$host" netns wq-sw
    # No offload: frames as a wire carries them, with their checksums.
    on "$host" ethtool -K eth0 tx off tso off gso off gro off >/dev/null
    ip -n wq-sw link set dev "$host" master br0 up
    ip -n "$ns" link set lo up
    ip -n "$ns" link set eth0 up
    ip -n "$ns" addr add "10.77.0.$number/24" brd + dev eth0
    ip -n "$ns" addr add "fd77::$number/64" dev eth0 nodad
    ip -n "$ns" route add 224.0.0.0/4 dev eth0
}

# ask HOST ADDRESS: the name server that HOST asks
ask() {
    echo "nameserver $2" > "/etc/netns/wq-$1/resolv.conf"
}

write_relay() {
    cat > "$work/relay.py" <<'PYTHON'
"""relay.py TAP LINK VLAN PRIORITY: a VLAN interface made of a tap."""
import fcntl, os, select, socket, struct, sys

tap_name, link_name, vlan, priority = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x2, 0x1000
ETH_P_ALL, SOL_PACKET, PACKET_AUXDATA, TP_STATUS_VLAN_VALID = 3, 263, 8, 16

tap = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", tap_name.encode(), IFF_TAP | IFF_NO_PI))
link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
link.bind((link_name, ETH_P_ALL))
link.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
tag = struct.pack(">HH", 0x8100, priority << 13 | vlan)

while True:
    for ready in select.select([tap, link], [], [])[0]:
        if ready is tap:
            frame = os.read(tap, 65536)
            link.send(frame[:12] + tag + frame[12:])
            continue
        frame, notes, _, (_, _, kind, _, _) = link.recvmsg(65536, 64)
        # The kernel takes the outer tag off the frame and tells it here.
        status, *_, tci, _ = struct.unpack("IIIHHHH", notes[0][2][:20])
        if kind != socket.PACKET_OUTGOING and status & TP_STATUS_VLAN_VALID and tci & 0xFFF == vlan:
            os.write(tap, frame)
PYTHON
}

make_vlan() {
    local vlan=$1 priority=$2 host number ns
    shift 2
    for host in "$@"; do
        ns=wq-$host
        number=$(on "$host" cat /sys/class/net/eth0/address | tail -c 2)
        ip -n "$ns" tuntap add dev "eth0.$vlan" mode tap
        ip -n "$ns" link set "eth0.$vlan" address "02:00:0a:4d:$vlan:0$number" up
        ip -n "$ns" link set eth0 promisc on
        background "$host" python3 "$work/relay.py" "eth0.$vlan" eth0 "$vlan" "$priority"
        ip -n "$ns" addr add "10.77.$vlan.$number/24" brd + dev "eth0.$vlan"
        ip -n "$ns" addr add "fd77:$vlan::$number/64" dev "eth0.$vlan" nodad
    done
}

background() {
    local host=$1
    shift
    (cd "$work" && on "$host" "$@" </dev/null >>"$work/log" 2>&1) &
}

start_servers() {
    mkdir "$work/web"
    echo '<html><body>wireq office</body></html>' > "$work/web/index.html"
    seq -f 'line %05g of a report' 1200 > "$work/web/report.txt"
    seq -f '%05g,10.77.0.1,ok' 200 > "$work/web/status.csv"
    background a python3 -m http.server 80 --bind :: --directory "$work/web"
    background a python3 -m http.server 8080 --bind :: --directory "$work/web"
    background a sh -c "while printf 'SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n' | nc -q 1 -l 22; do :; done"
    background a nc -k -u -l 514
    background a nc -k -u -l 10.77.43.1 5004
    background b dnsmasq --keep-in-foreground --conf-file=/dev/null --pid-file= --user=root \
        --no-resolv --no-hosts --local=/wq.test/ \
        --host-record=web.wq.test,10.77.0.1,fd77::1 --cname=www.wq.test,web.wq.test \
        --host-record=ns.wq.test,10.77.0.2,fd77::2 --mx-host=wq.test,web.wq.test,10 \
        --txt-record=wq.test,"v=wireq sample" --ptr-record=1.0.77.10.in-addr.arpa,web.wq.test
    local port
    for port in a:80 a:8080 b:53; do
        until on "${port%:*}" nc -z 127.0.0.1 "${port#*:}"; do sleep 0.1; done
    done
    sleep 2 # until multicast listener reports are over
}

# record NAME FUNCTION: what passes the bridge while FUNCTION runs
record() {
    local host log=$work/tcpdump-$1
    for host in "${hosts[@]}"; do
        ip -n "wq-$host" neigh flush all
    done
    ip netns exec wq-sw tcpdump -Z root -i br0 -s "$snaplen" --immediate-mode -U -w "$work/$1.pcap" 2>"$log" &
    capture=$!
    until grep -qs 'listening on' "$log"; do sleep 0.1; done
    "$2" >>"$work/log" 2>&1
    sleep 0.5
    # The job is `ip`, which became tcpdump.
    kill -INT "$capture"
    wait "$capture"
    grep -q '^0 packets dropped by kernel' "$log" || { cat "$log" >&2; exit 1; }
    cp "$work/$1.pcap" "$out/$1.pcap"
    capinfos -T -r -c -s -u "$out/$1.pcap"
}

get() {
    local host=$1
    shift
    on "$host" curl --noproxy '*' --silent --show-error --max-time 10 -o /dev/null "$@" || true
}

# send HOST ADDRESS PORT SIZE COUNT [PAUSE]: UDP datagrams from one socket
send() {
    on "$1" python3 -c '
import socket, sys, time
address, port, size, count, pause = sys.argv[1], *map(int, sys.argv[2:5]), float(sys.argv[5])
kind = socket.AF_INET6 if ":" in address else socket.AF_INET
s = socket.socket(kind, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
for i in range(count):
    s.sendto((b"<14>wq: message %d " % i).ljust(size, b"."), (address, port))
    time.sleep(pause)
' "$2" "$3" "$4" "$5" "${6:-0}"
}

# Connect to ports one after another; most are closed and answer with RST.
scan() {
    local host=$1 address=$2 port
    shift 2
    for port in "$@"; do
        on "$host" nc -z -w 1 "$address" "$port" || true
    done
}

ssh_banner() {
    printf 'SSH-2.0-OpenSSH_9.6\r\n' | on "$1" timeout 3 nc -q 1 "$2" 22 || true
}

office() {
    on c ping -c 4 -i 0.3 10.77.0.1
    on d ping -c 3 -i 0.3 10.77.0.2
    on e ping -6 -c 3 -i 0.3 fd77::1
    names
    get c -4 http://web.wq.test/
    get c -4 http://web.wq.test/report.txt
    get d -4 http://www.wq.test/status.csv
    get d -4 http://web.wq.test/missing
    get e -4 http://web.wq.test/
    get c -6 http://web.wq.test/
    get c http://10.77.0.1:8080/report.txt
    get d http://10.77.0.1:8080/status.csv
    get d http://10.77.0.1:8080/ -d 'a=1'
    get e http://10.77.0.1:8443/
    ssh_banner d 10.77.0.1
    on d ping -c 2 -i 0.3 -s 3000 10.77.0.1
    send d 10.77.0.1 514 90 40
    send e 10.77.0.1 9999 4000 1
    send c 10.77.0.255 1900 60 1
    on e dig +tries=1 +timeout=1 @224.0.0.251 -p 5353 printer.local A || true
    scan e 10.77.0.1 21 22 23 25 80 110 135 139 143 443 445 993 3306 3389 5432 5900 6379 8080 8443 9200
    on c ping -c 2 -i 0.3 10.77.42.1
    get c http://10.77.42.1/
    send d 10.77.43.1 5004 160 5 0.02
}

names() {
    on c dig @10.77.0.2 web.wq.test A
    on c dig @10.77.0.2 web.wq.test AAAA
    on d dig @10.77.0.2 www.wq.test A
    on d dig @10.77.0.2 wq.test MX
    on d dig @10.77.0.2 wq.test TXT
    on e dig @10.77.0.2 nowhere.wq.test A
    on e dig @10.77.0.2 example.com A
    on e dig @10.77.0.2 -x 10.77.0.1
    on e dig @10.77.0.2 +tcp web.wq.test A
}

vlans() {
    on c ping -c 3 -i 0.3 10.77.42.1
    on c ping -c 1 -s 3000 10.77.42.1
    on c ping -6 -c 2 -i 0.3 fd77:42::1
    get c http://10.77.42.1/
    get c http://10.77.42.1:8080/status.csv
    get c 'http://[fd77:42::1]/'
    on d ping -c 2 -i 0.3 10.77.43.1
    send d 10.77.43.1 5004 160 20 0.02
    send d 10.77.43.1 5005 160 1
    on d ping -c 2 -i 0.3 10.77.0.1
    get d http://10.77.0.1/
}

six() {
    local host
    for host in c d e; do
        ask "$host" fd77::2
    done
    on c ping -6 -c 3 -i 0.3 fd77::1
    on d ping -6 -c 2 -i 0.3 -s 3000 fd77::1
    on c dig @fd77::2 web.wq.test AAAA
    on d dig @fd77::2 nowhere.wq.test AAAA
    get c -6 http://web.wq.test/
    get d -6 http://web.wq.test/status.csv
    get e 'http://[fd77::1]:8080/missing'
    get e 'http://[fd77::1]:8443/'
    send e fd77::1 9999 400 1
    send e fd77::1 514 3000 1
    # A new address: duplicate address detection, and a listener report with a hop-by-hop header.
    ip -n wq-e addr add fd77::50/64 dev eth0
    sleep 2
    on e ping -6 -c 2 -i 0.3 ff02::1%eth0
    scan d fd77::1 21 23 25 443 3306
}

main
