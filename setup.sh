#!/usr/bin/env bash
# Installs what building and testing need and this machine lacks. Asks nothing.
# `setup.sh build` leaves out what only tests need.
set -eu

# Where Debian keeps ip, ethtool and tcpreplay, also for those who are not root.
PATH=$PATH:/usr/sbin:/sbin
packages=()
need() { # need PACKAGE COMMAND-OR-FILE
  command -v "$2" >/dev/null 2>&1 || [ -e "$2" ] || packages+=("$1")
}
need build-essential cc
need libpcap-dev /usr/include/pcap/pcap.h
if [ "${1-}" != build ]; then
  need tshark tshark
  need valgrind valgrind
  need nfdump nfdump
  need python3 python3
  python3 -c 'import ensurepip' 2>/dev/null || packages+=(python3-venv)
  need iproute2 ip
  need ethtool ethtool
  need tcpreplay tcpreplay
  need zstd zstd
  # What manual pages and completions are tried with.
  need groff groff
  need zsh zsh
  need fish fish
fi

if [ ${#packages[@]} -gt 0 ]; then
  if ! command -v apt-get >/dev/null 2>&1; then
    echo "setup: please install: ${packages[*]}" >&2
    exit 1
  fi
  # sudo drops what is set outside of it.
  as_root=(env DEBIAN_FRONTEND=noninteractive)
  [ "$(id -u)" = 0 ] || as_root=(sudo -n "${as_root[@]}")
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" apt-get install -y -qq "${packages[@]}" >/dev/null
fi

if ! command -v cargo >/dev/null 2>&1; then
  echo "setup: Rust is missing; install it with rustup (https://rustup.rs)" >&2
  exit 1
fi
[ "${1-}" = build ] || command -v cargo-nextest >/dev/null 2>&1 || cargo install --locked cargo-nextest
