#!/bin/sh
# Checks that this machine permits the simulated networks of the tests. If not,
# prints the reason and fails.
no() { echo "$*"; exit 1; }
[ "$(id -u)" -eq 0 ] || no "only root can create network namespaces"
for tool in ip nft sysctl; do
  command -v "$tool" >/dev/null || no "$tool is missing (tools/setup.sh network installs it)"
done
probe="gruppetto-probe-$$"
ip netns add "$probe" 2>/dev/null || no "this machine forbids network namespaces"
trap 'ip netns delete "$probe"' EXIT
ip netns exec "$probe" ip link add probe type veth peer name eborp 2>/dev/null ||
  no "this machine forbids virtual network cables"
ip netns exec "$probe" nft 'add table ip probe; add chain ip probe out { type nat hook postrouting priority srcnat; }; add rule ip probe out masquerade fully-random; add chain ip probe in { type filter hook input priority filter; }; add rule ip probe in numgen random mod 100 < 10 drop' 2>/dev/null ||
  no "this kernel lacks nftables with NAT"
