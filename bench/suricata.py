#!/usr/bin/env python3
"""Compares `rules` with Suricata: the same rules, the same packets, the same alerts?

usage: suricata.py WIREQ RULES_DIR CAPTURES_DIR WORK_DIR [REPEAT [SHARE]]

The rules of both files are projected to single packets (`wireq rules show --packet-only --as-rule`); SHARE of 256 of
them are taken, by the hash of their numbers, and those that Suricata loads are given to both. Packets are those of all classic captures of Ethernet in CAPTURES_DIR, one after
the other in one file. Suricata runs on that file alone: single mode, application parsers off, no reassembly. Prints a
page for bench/record.
"""

import collections, csv, hashlib, json, os, re, resource, shutil, struct, subprocess, sys

WIREQ, RULES, CAPTURES, WORK = sys.argv[1:5]
REPEAT = int(sys.argv[5]) if len(sys.argv) > 5 else 1
SHARE = int(sys.argv[6]) if len(sys.argv) > 6 else 256
ALERTS_MAX = 255  # Suricata keeps no more of one packet.

PROTOCOLS = """http ftp ftp-data smtp tls ssh imap pop3 smb dcerpc modbus enip dnp3 nfs ntp tftp ike krb5 quic dhcp sip snmp
rfb rdp mqtt http2 telnet pgsql bittorrent-dht""".split()


def yaml():
    homes = "HTTP_SERVERS SMTP_SERVERS SQL_SERVERS DNS_SERVERS TELNET_SERVERS DC_SERVERS DNP3_SERVER DNP3_CLIENT \
MODBUS_CLIENT MODBUS_SERVER ENIP_CLIENT ENIP_SERVER".split()
    off = "".join(f"    {name}: {{enabled: no}}\n" for name in PROTOCOLS)
    return f"""%YAML 1.1
---
vars:
  address-groups:
    HOME_NET: "[192.168.0.0/16,10.0.0.0/8,172.16.0.0/12]"
    EXTERNAL_NET: "!$HOME_NET"
    AIM_SERVERS: "$EXTERNAL_NET"
{"".join(f'    {name}: "$HOME_NET"' + chr(10) for name in homes)}  port-groups:
    HTTP_PORTS: "80"
    SHELLCODE_PORTS: "!80"
    ORACLE_PORTS: 1521
    SSH_PORTS: 22
    DNP3_PORTS: 20000
    MODBUS_PORTS: 502
    FILE_DATA_PORTS: "[$HTTP_PORTS,110,143]"
    FTP_PORTS: 21
stats: {{enabled: no}}
packet-alert-max: {ALERTS_MAX}
outputs:
  - eve-log:
      enabled: yes
      filetype: regular
      filename: eve.json
      types:
        - alert: {{metadata: no}}
        - anomaly: {{enabled: yes, types: {{decode: yes, stream: no, applayer: no}}}}
logging:
  default-log-level: notice
  outputs: [{{console: {{enabled: yes}}}}]
app-layer:
  protocols:
{off}    dns: {{tcp: {{enabled: no}}, udp: {{enabled: no}}}}
classification-file: /etc/suricata/classification.config
reference-config-file: /etc/suricata/reference.config
stream: {{memcap: 512mb, checksum-validation: no, midstream: true, reassembly: {{memcap: 64mb, depth: 1, raw: no}}}}
flow: {{memcap: 512mb}}
detect: {{profile: medium, inspection-recursion-limit: 3000}}
"""


def records(path):
    """The packets of a classic capture of Ethernet, as far as they can be read."""
    data = open(path, "rb").read()
    magic = data[:4]
    order = {b"\xd4\xc3\xb2\xa1": "<", b"\x4d\x3c\xb2\xa1": "<", b"\xa1\xb2\xc3\xd4": ">", b"\xa1\xb2\x3c\x4d": ">"}.get(magic)
    if order is None or len(data) < 24:
        return
    at = 24
    while at + 16 <= len(data):
        seconds, fraction, kept, length = struct.unpack(order + "IIII", data[at : at + 16])
        if kept > 65535 or at + 16 + kept > len(data):
            return
        yield data[at + 16 : at + 16 + kept], max(length, kept)
        at += 16 + kept


def merge(out):
    """All packets in one file, a millisecond apart: their own times would let flows end anywhere."""
    count = 0
    with open(out, "wb") as f:
        f.write(struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        with open(os.path.join(CAPTURES, "index.tsv")) as index:
            files = [r["file"] for r in csv.DictReader(index, delimiter="\t") if r["linktype"] == "1" and r["format"].startswith("pcap") and r["format"] not in ("pcapng", "pcap-mod")]
        body = []
        for name in sorted(files):
            body.extend(records(os.path.join(CAPTURES, name)))
        for packet, length in body:
            f.write(struct.pack("<IIII", 1700000000 + count // 1000, count % 1000 * 1000, len(packet), length) + packet)
            count += 1
    return count


def repeat(path, out, times):
    data = open(path, "rb").read()
    with open(out, "wb") as f:
        f.write(data[:24])
        for _ in range(times):
            f.write(data[24:])


def run(command, **more):
    """What a command printed, and the CPU seconds that it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, **more)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return done, seconds


def suricata(capture, rules, log):
    shutil.rmtree(log, ignore_errors=True)
    os.makedirs(log)
    return run(["suricata", "-c", f"{WORK}/suricata.yaml", "-r", capture, "-S", rules, "-l", log, "--runmode", "single", "-k", "none"], text=True)


def picked(line):
    number = re.search(r"[ ;]sid:(\d+);", line)[1]
    return hashlib.sha256(number.encode()).digest()[0] < SHARE


def loaded(projected, kept):
    """Writes the rules that Suricata loads: it says which it does not, by their lines. Gives its CPU seconds too."""
    lines = open(projected).read().splitlines()
    done, spent = suricata(f"{WORK}/one.pcap", projected, f"{WORK}/log")
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    bad = {int(n) for n in re.findall(r"error parsing signature .* at line (\d+)", done.stdout + done.stderr)}
    with open(kept, "w") as f:
        f.write("\n".join(line for n, line in enumerate(lines, 1) if n not in bad) + "\n")
    return len(lines), len(lines) - len(bad), spent


def events(log):
    """Alerts as (packet, sid), their count with each packet's, and the packets that are no good to Suricata."""
    alerts, faults = collections.Counter(), collections.defaultdict(set)
    with open(f"{log}/eve.json") as f:
        for line in f:
            event = json.loads(line)
            if event["event_type"] == "alert":
                alerts[event.get("pcap_cnt", 0), event["alert"]["signature_id"]] += 1
            elif event["event_type"] == "anomaly":
                faults[event.get("pcap_cnt", 0)].add(event["anomaly"].get("event", "?"))
    return alerts, faults


def facts(capture):
    """Of each packet what tells whether Suricata sees it otherwise."""
    done, _ = run([WIREQ, "-o", "jsonl", "print frame.number transport ipprotocol ip.version fragbits ip.frag_offset ipv6.nxt vlan ip.version.length", capture], text=True)
    table = {}
    for line in done.stdout.splitlines():
        row = json.loads(line)
        table[row["frame.number"]] = row
    if not table:
        sys.exit(done.stderr)
    return table


def main():
    os.makedirs(WORK, exist_ok=True)
    open(f"{WORK}/suricata.yaml", "w").write(yaml())
    with open(f"{WORK}/one.pcap", "wb") as f:
        f.write(struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1) + struct.pack("<IIII", 1700000000, 0, 60, 60) + bytes(60))
    files = [os.path.join(RULES, name) for name in ("et-open-part.rules", "snort-gpl.rules")]
    shown, _ = run([WIREQ, "rules", "show", "--packet-only", "--as-rule", *files], text=True)
    with open(f"{WORK}/projected.rules", "w") as f:
        f.writelines(line + "\n" for line in shown.stdout.splitlines() if picked(line))
    projected, both, load = loaded(f"{WORK}/projected.rules", f"{WORK}/both.rules")
    packets = merge(f"{WORK}/all.pcap")
    repeat(f"{WORK}/all.pcap", f"{WORK}/long.pcap", REPEAT)
    size = os.path.getsize(f"{WORK}/long.pcap")

    done, spent = suricata(f"{WORK}/all.pcap", f"{WORK}/both.rules", f"{WORK}/log")
    alerts, faults = events(f"{WORK}/log")
    ours, our_spent = run([WIREQ, f"rules {WORK}/both.rules | print frame.number sid", f"{WORK}/all.pcap"], text=True)
    if ours.returncode:
        sys.exit(ours.stderr)
    mine = {tuple(map(int, line.split("\t"))) for line in ours.stdout.splitlines()}
    theirs = {pair for pair in alerts if pair[0]}
    only_mine, only_theirs = mine - theirs, theirs - mine
    table = facts(f"{WORK}/all.pcap")
    texts = {int(re.search(r"[ ;]sid:(\d+);", line)[1]): line for line in open(f"{WORK}/both.rules") if line.strip()}
    per_packet = collections.Counter()
    for (packet, sid), count in alerts.items():
        per_packet[packet] += count

    def why(packet, sid, side):
        row, rule = table.get(packet, {}), texts[sid]
        if per_packet[packet] >= ALERTS_MAX:
            return f"Suricata keeps {ALERTS_MAX} alerts of a packet at most"
        if packet in faults:
            return "a fault of the packet for Suricata: " + sorted(faults[packet])[0]
        return "not explained"

    tables = {}
    for side, pairs in (("wireq alone", only_mine), ("Suricata alone", only_theirs)):
        tables[side] = collections.Counter(why(packet, sid, side) for packet, sid in pairs)
        with open(f"{WORK}/{side.split()[0]}-alone.tsv", "w") as f:
            for packet, sid in sorted(pairs):
                f.write(f"{packet}\t{sid}\t{why(packet, sid, side)}\t{json.dumps(table.get(packet))}\t{texts[sid].strip()}\n")

    print(f"rules: {projected} projected, {both} of them loaded by both")
    print(f"packets: {packets}; alerts of both {len(mine & theirs)}, wireq alone {len(only_mine)}, Suricata alone {len(only_theirs)}; rules that spoke {len({s for _, s in mine | theirs})}")
    for side, counts in tables.items():
        for reason, count in counts.most_common():
            print(f"  {side}: {count}: {reason}")
    print(f"\nload: Suricata {load:.2f} CPU s; all packets: Suricata {spent - load:.2f}, wireq with load {our_spent:.2f}")
    if REPEAT > 1:
        _, our_load = run([WIREQ, "--threads", "1", f"rules {WORK}/both.rules | print frame.number sid", f"{WORK}/one.pcap"])
        times = []
        for _ in range(3):
            _, their_time = suricata(f"{WORK}/long.pcap", f"{WORK}/both.rules", f"{WORK}/log")
            _, our_time = run([WIREQ, "--threads", "1", f"rules {WORK}/both.rules | print frame.number sid", f"{WORK}/long.pcap"])
            times.append((their_time - load, our_time - our_load))
        theirs, mine = (sorted(t)[1] for t in zip(*times))
        print(f"{REPEAT} times over, {size / 1e6:.0f} MB, {packets * REPEAT} packets, medians of 3 in CPU s without load: Suricata {theirs:.2f}, wireq {mine:.2f}, ratio {theirs / mine:.2f}; load: Suricata {load:.2f}, wireq {our_load:.2f}")


main()
