#!/usr/bin/env bash
# Installs what building and testing need and this machine lacks. Asks nothing.
set -eu

packages=()
need() { # need PACKAGE COMMAND-OR-FILE
  command -v "$2" >/dev/null 2>&1 || [ -e "$2" ] || packages+=("$1")
}
need build-essential cc
need libpcap-dev /usr/include/pcap/pcap.h
need tshark tshark
need valgrind valgrind
need nfdump nfdump
need python3 python3
need iproute2 ip
need ethtool ethtool
need tcpreplay tcpreplay

if [ ${#packages[@]} -gt 0 ]; then
  if ! command -v apt-get >/dev/null 2>&1; then
    echo "setup: please install: ${packages[*]}" >&2
    exit 1
  fi
  sudo=()
  [ "$(id -u)" = 0 ] || sudo=(sudo -n)
  export DEBIAN_FRONTEND=noninteractive
  "${sudo[@]}" apt-get update -qq
  "${sudo[@]}" apt-get install -y -qq "${packages[@]}" >/dev/null
fi

if ! command -v cargo >/dev/null 2>&1; then
  echo "setup: Rust is missing; install it with rustup (https://rustup.rs)" >&2
  exit 1
fi
command -v cargo-nextest >/dev/null 2>&1 || cargo install --locked cargo-nextest
