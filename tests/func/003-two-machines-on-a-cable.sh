#!/bin/bash
# a test with two guests has a second machine, on a cable of its own, furnished like the first
# guests: 2
. "$(dirname "$0")/lib.sh"

check "the peer answers a ping" ping -c 1 -W 5 "$PEER"
check "over IPv6 too" ping -c 1 -W 5 fd90::2
is "it takes commands" "$(peer uname -s)" Linux
unlike "it is another machine" "$(peer cat /etc/machine-id /proc/sys/kernel/random/boot_id)" \
	"$(cat /proc/sys/kernel/random/boot_id)"
check "it has the tests" peer test -x /srv/cella/tests/func/one
check_fails "the guests reach nothing else" "" ping -c 1 -W 1 192.0.2.1
