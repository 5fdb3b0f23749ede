#!/bin/bash
# VPSs reach each other only in a group or as allowed peers, and of the host only what it opens; nothing is left of the rules
# timeout: 180
. "$(dirname "$0")/lib.sh"
# shellcheck source=vps.sh
. "$func_dir/vps.sh"
# shellcheck source=net.sh
. "$func_dir/net.sh"
needs jq busybox python3 nft nsenter ip

serve() { # COMMAND...: on port 7777, TCP and UDP, IPv4 and IPv6: what comes goes back
	cat >serve.py <<'EOF'
import socket, threading
def tcp():
    s = socket.create_server(("::", 7777), family=socket.AF_INET6, dualstack_ipv6=True)
    while True:
        c = s.accept()[0]
        c.sendall(c.recv(100))
        c.close()
threading.Thread(target=tcp, daemon=True).start()
u = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
u.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
u.bind(("::", 7777))
while True:
    data, where = u.recvfrom(100)
    u.sendto(data, where)
EOF
	"$@" python3 serve.py &
	cleanup kill $!
}
cat >ask.py <<'EOF'
import socket, sys, threading
answers = {}
def ask(word):
    kind, address = word.split(",")
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
    s.settimeout(2)
    try:
        s.connect((address, 7777))
        s.send(b"x")
        answers[word] = "yes" if s.recv(1) == b"x" else "no"
    except OSError:
        answers[word] = "no"
threads = [threading.Thread(target=ask, args=(word,)) for word in sys.argv[1:]]
for t in threads: t.start()
for t in threads: t.join()
print(*(answers[word] for word in sys.argv[1:]))
EOF
# ask WHERE [NAME] -- KIND,ADDRESS...: "yes no ...", all asked at the same time
ask() {
	local where=()
	while [ "$1" != -- ]; do
		where+=("$1")
		shift
	done
	"${where[@]}" python3 ask.py "${@:2}"
}
# answers ...: the same as a condition, of one
answers() { [ "$(ask "$@")" = yes ]; }

one4=10.66.0.1 one6=2001:db8:66::1 two4=10.66.0.2 two6=2001:db8:66::2
world_make
mkdir -p "$CELLA_ROOT/etc/cella"
vps_start one --ipadd $one4 --ipadd $one6
vps_start two --ipadd $two4 --ipadd $two6
serve nsenter -t "$(vps_field two .pid)" -n
serve env
wait_for 20 answers env -- tcp,::1
wait_for 20 answers in_net two -- tcp,::1

two=("tcp,$two4" "udp,$two4" "tcp,$two6" "udp,$two6")
host=("tcp,198.51.100.2" "udp,198.51.100.2" "tcp,2001:db8:ff::2" "udp,2001:db8:ff::2" "tcp,169.254.1.1")
is "the other VPS is out of reach" "$(ask in_net one -- "${two[@]}")" "no no no no"
is "the host reaches it" "$(ask env -- "${two[@]}")" "yes yes yes yes"
is "so does the world" "$(ask in_world -- "${two[@]}")" "yes yes yes yes"
is "the host's services are closed" "$(ask in_net one -- "${host[@]}")" "no no no no no"
for address in $two4 $two6; do
	check_fails "ping to $address ends" "" eval "cella exec one -- ping -c 1 -W 1 $address >/dev/null 2>&1"
	check "not the host's" ping_ok env "$address"
done
for address in 198.51.100.2 2001:db8:ff::2 198.51.100.1; do
	check "ping to $address" ping_ok in_net one "$address"
done

for vps in one two; do cella stop --fast "$vps" >/dev/null; done
unlike "no rules are left" "$(nft list tables)" cella
echo 'HOST_SERVICES="tcp/7777"' >"$CELLA_ROOT/etc/cella/cella.conf"
for vps in one two; do
	echo 'GROUP="friends others"' >>"$conf_dir/$vps.conf"
	cella start "$vps" >/dev/null
done
check "in a group they reach each other" ping_ok in_net one $two4
check "in IPv6" ping_ok in_net two $one6
is "a service that is opened is reached, no other" "$(ask in_net one -- tcp,198.51.100.2 udp,198.51.100.2)" "yes no"

cella stop --fast two >/dev/null
sed -i /GROUP/d "$conf_dir/two.conf"
cella start two >/dev/null
check_fails "who leaves the group does not" "" eval "in_net one ping -c 1 -W 1 $two4 >/dev/null"
cella stop --fast two >/dev/null
echo 'ALLOW_PEER="one"' >>"$conf_dir/two.conf"
cella start two >/dev/null
check "an allowed peer does" ping_ok in_net one $two4
check "both ways" ping_ok in_net two $one4
is "keys come from options" "$(cella create three --ostemplate busybox --group a --group b --allow-peer one >/dev/null && grep -E 'GROUP|PEER' "$conf_dir/three.conf" | sort)" \
	$'ALLOW_PEER="one"\nGROUP="a b"'
check_fails "a bad name is refused" "--group: " cella create four --ostemplate busybox --group a/b
echo 'HOST_SERVICES="tcp/0"' >"$CELLA_ROOT/etc/cella/cella.conf"
check_fails "so is a bad service" "cella.conf: HOST_SERVICES: " cella list
rm "$CELLA_ROOT/etc/cella/cella.conf"
kill -9 "$(monitor_of two)" "$(vps_field two .pid)"
wait_for 30 status_is two stopped
unlike "a killed VPS's rules go with the next look" "$(nft list ruleset)" vethtwo
