#!/bin/bash
# `cella rebuild` gives a VPS a new root and keeps who it is; SIGKILL at any moment leaves the old root or the new one
# timeout: 300
. "$(dirname "$0")/lib.sh"
# shellcheck source=vps.sh
. "$func_dir/vps.sh"
needs busybox jq ssh-keygen

key='ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGVub3VnaEJ5dGVzRm9yQUtleU9mVGhpc0tpbmQ operator@host'
vps_make one --ipadd 10.64.0.9 --hostname web.example --userpasswd root:secret --sshkey "$key"
tree=$private_dir/one
# another template, which has ssh, a shadow file and a user
cella template export busybox plain.tar >/dev/null
mkdir -p other/etc/ssh
tar -C other -xf plain.tar
echo of-the-template | tee other/etc/{other,ssh/ssh_host_{ed25519,dsa}_key} >other/etc/ssh/sshd_config
sed -i 's/^root:[^:]*:/root:x:/' other/etc/passwd
echo 'web:x:1000:1000::/:/bin/sh' >>other/etc/passwd
printf '%s\n' 'root:*:19000::::::' 'web:!:19000::::::' >other/etc/shadow
chmod 600 other/etc/shadow
tar -C other -cf other.tar .
cella template import other.tar other >/dev/null

hash_of_root() { sed -n 's/^root:\([^:]*\):.*/\1/p' "$tree/etc/shadow"; }
hash=$(hash_of_root)
like "it has a password" "$hash" '^\$'
cella start one >/dev/null
machine_id=$(<"$tree/etc/machine-id")
identity() { printf '%s\n' "$(hash_of_root)" "$(cat "$tree/root/.ssh/authorized_keys" "$tree/etc/machine-id")"; }
before=$(identity)
mkdir "$tree/etc/ssh"
echo its-own >"$tree/etc/ssh/ssh_host_rsa_key"
ln -s "$TEST_DIR" "$tree/etc/ssh/ssh_host_evil_key"
touch "$tree/of-the-old-root"

pid=$(vps_field one .pid)
output=$(cella rebuild one 2>&1) && status=0 || status=$?
is "one that runs is refused with 32" "$status $output" \
	"32 cella: VPS one is running: stop it first, or --force, which stops and starts it"
cella snapshot one --id before >/dev/null
check_fails "a template that is not there stops nothing" "template nope does not exist" cella rebuild one --force --ostemplate nope
is "it runs on in its root" "$(vps_field one .pid) $(ls "$tree/of-the-old-root") $(find "$private_dir" -mindepth 1 -maxdepth 1)" "$pid $tree/of-the-old-root $tree"
check "--force does it" cella rebuild one --force --ostemplate other
is "it runs again, in the new root" "$(vps_field one .status) $(cella exec one -- cat /etc/other)" "running of-the-template"
is "which comes from no snapshot" "$(cella snapshot-list one --json | jq -c '[.[] | [.id, .current]]')" '[["before",false]]'
check "as another process" test "$(vps_field one .pid)" != "$pid"
check "nothing of the old root is left" test ! -e "$tree/of-the-old-root" -a -z "$(find "$private_dir" -mindepth 1 -maxdepth 1 -name '.*')"
is "password, ssh keys and machine id are the old ones" "$(identity)" "$before"
is "and so is the host name" "$(<"$tree/etc/hostname")" web.example
is "the ssh host key that it had, alone" "$(cat "$tree"/etc/ssh/ssh_host_*)" its-own
is "modes" "$(cd "$tree" && stat -c '%a %u:%g' etc/machine-id etc/ssh/ssh_host_rsa_key root/.ssh root/.ssh/authorized_keys etc/shadow | xargs)" \
	"444 0:0 600 0:0 700 0:0 600 0:0 600 0:0"
is "a user whom it did not have has the template's" "$(grep ^web: "$tree/etc/shadow")" "web:!:19000::::::"
like "addresses and template are in NAME.conf" "$(cat "$conf_dir/one.conf")" 'OSTEMPLATE="other".*IP_ADDRESS="10.64.0.9"|IP_ADDRESS="10.64.0.9".*OSTEMPLATE="other"'
cella stop --fast one >/dev/null

# whole: the root is of the template that NAME.conf says, the identity is there, nothing else is
whole() {
	local template=busybox
	[ ! -e "$tree/etc/other" ] || template=other
	grep -q "^OSTEMPLATE=\"$template\"" "$conf_dir/one.conf" && [ "$(identity)" = "$before" ] &&
		[ "$(find "$private_dir" -mindepth 1 -maxdepth 1)" = "$tree" ]
}
next=busybox
for ((ms = 0; ms < 800; ms += 80)); do
	cella rebuild one --ostemplate $next >/dev/null 2>&1 &
	pid=$!
	sleep "$(printf '0.%03d' $ms)"
	kill -9 $pid 2>/dev/null || true
	wait $pid 2>/dev/null || true
	cella set one --cpuunits 1000 --best-effort >/dev/null 2>&1
	whole || not_ok "killed after $ms ms: the old root or the new one" "$(grep OSTEMPLATE "$conf_dir/one.conf"; identity; find "$private_dir" -maxdepth 1)"
	[ ! -e "$tree/etc/other" ] && next=other || next=busybox
done
ok "a killed rebuild leaves the old root or the new one"
check "and one that starts" cella start one
cella stop --fast one >/dev/null

# what the tenant has made of its files leads nowhere
cella rebuild one --ostemplate busybox >/dev/null
echo 'root:$6$of-the-host:1::::::' >"$TEST_DIR/secret"
sed -i "s|^root:x:|root:$hash:|" "$tree/etc/passwd"
ln -sf "$TEST_DIR/secret" "$tree/etc/shadow"
ln -sf "$TEST_DIR/secret" "$tree/etc/machine-id"
mkfifo "$tree/root/.ssh/fifo" && mv "$tree/root/.ssh/fifo" "$tree/root/.ssh/authorized_keys"
check "links and a fifo do not stop it" cella rebuild one --ostemplate other
cella start one >/dev/null
unlike "nothing of the host came in" "$(cat "$tree/etc/shadow" "$tree/etc/machine-id")" of-the-host
like "it has a new machine id" "$(<"$tree/etc/machine-id")" '^[0-9a-f]{32}$'
is "and the password of passwd" "$(hash_of_root)" "$hash"
unlike "which is another" "$(<"$tree/etc/machine-id")" "$machine_id"

# a copy of a template or of another VPS is somebody else
cella create two --ostemplate other --ram 64M >/dev/null
cella clone two three >/dev/null
two=$private_dir/two/etc/ssh three=$private_dir/three/etc/ssh
is "ssh host keys of a new one are of its template's types" "$(ls "$two")" "ssh_host_ed25519_key
ssh_host_ed25519_key.pub
sshd_config"
check "and keys" cmp <(ssh-keygen -y -f "$two/ssh_host_ed25519_key") <(xargs <"$two/ssh_host_ed25519_key.pub")
is "that only root reads" "$(stat -c '%a %u:%g' "$two"/ssh_host_* | xargs)" "600 0:0 644 0:0"
check_fails "a clone's are others" "differ" cmp "$two/ssh_host_ed25519_key.pub" "$three/ssh_host_ed25519_key.pub"
without_keygen() { unshare -m sh -ec 'mount --bind /dev/null /usr/bin/ssh-keygen; exec cella clone two four' 2>&1; }
like "a host that cannot make keys says so" "$(without_keygen)" "no /usr/bin/ssh-keygen here.*install openssh-client"
is "and gives away no other's" "$(ls "$private_dir/four/etc/ssh")" sshd_config
