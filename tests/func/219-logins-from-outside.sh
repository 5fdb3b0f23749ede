#!/bin/bash
# --userpasswd, --sshkey and --timezone write the VPS's own files and nothing outside, whatever lies there
. "$(dirname "$0")/lib.sh"
# shellcheck source=vps.sh
. "$func_dir/vps.sh"
needs busybox python3

key='ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGVub3VnaEJ5dGVzRm9yQUtleU9mVGhpc0tpbmQ operator@host'
vps_make one --userpasswd 'root:first:secret' --sshkey "$key"
tree=$private_dir/one

# verifies TREE PASSWORD: by the system's own crypt(3)
verifies() {
	python3 - "$1" "$2" <<'PY'
import ctypes, os, sys
crypt = ctypes.CDLL("libcrypt.so.1").crypt
crypt.restype = ctypes.c_char_p
root = sys.argv[1]
path = root + "/etc/shadow" if os.path.exists(root + "/etc/shadow") else root + "/etc/passwd"
hash = next(l.split(":")[1] for l in open(path) if l.startswith("root:"))
sys.exit(crypt(sys.argv[2].encode(), hash.encode()).decode() != hash)
PY
}
check "create sets a password" verifies "$tree" first:secret
is "and a key" "$(cat "$tree/root/.ssh/authorized_keys") $(stat -c %a "$tree/root/.ssh" "$tree/root/.ssh/authorized_keys" | xargs)" "$key 700 600"
cella start one >/dev/null
printf '%s\n' 'root:*:19000:0:99999:7:::' 'daemon:*:19000:0:99999:7:::' >"$tree/etc/shadow"
sed -i 's/^root:[^:]*:/root:x:/' "$tree/etc/passwd"
chmod 640 "$tree/etc/shadow"
chown 0:42 "$tree/etc/shadow"
printf '%s\n' "# two" "$key" "${key/operator/second}" >keys
check "set changes a running one" cella set one --userpasswd root:other --sshkey "$PWD/keys"
check "the password" verifies "$tree" other
is "in shadow, whose rest, owner and mode stay" "$(sed 's/^root:[^:]*:[0-9]*:/root:H:D:/' "$tree/etc/shadow" | xargs) $(stat -c '%u:%g %a' "$tree/etc/shadow")" \
	"root:H:D:0:99999:7::: daemon:*:19000:0:99999:7::: 0:42 640"
is "keys are there once" "$(wc -l <"$tree/root/.ssh/authorized_keys")" 2
unlike "the password is nowhere" "$(grep -rs other: "$conf_dir" "$CELLA_ROOT/var/lib/cella/log" "$run_dir" || true)" other

for bad in root root: :secret 'no body:x' '-x:y' 'a/b:c' $'root:line\nbreak' "root:$(printf 'x%.0s' {1..5000})" '../x:y' '%s%s:x'; do
	output=$(cella set one --userpasswd "$bad" 2>&1) && status=0 || status=$?
	is "--userpasswd $(printf %q "${bad:0:20}")" "$status $(wc -l <<<"$output") $(grep -c 'secret\|line' <<<"$output")" "20 1 0"
done
check_fails "a user who is not there" "has no user nobody-here" cella set one --userpasswd nobody-here:x
for bad in x 'ssh-rsa' 'ssh-rsa !!!!' $'ssh-rsa AAAABBBBCCCCDDDD\nevil' "$(printf 'a%.0s' {1..5000})"; do
	check_fails "--sshkey $(printf %q "${bad:0:20}")" "--sshkey" cella set one --sshkey "$bad"
done
for bad in ../../etc/passwd /etc/passwd 'a b' a//b 'a%s' $'a\nb' "$(printf 'a%.0s' {1..5000})"; do
	check_fails "--timezone $(printf %q "${bad:0:20}")" "--timezone" cella set one --timezone "$bad"
done
check_fails "a zone that it does not have" "the VPS has no zone Mars/Base" cella set one --timezone Mars/Base
mkdir -p "$tree/usr/share/zoneinfo/Europe"
echo zone >"$tree/usr/share/zoneinfo/Europe/Berlin"
check "one that it has" cella set one --timezone Europe/Berlin
is "is a link and a name" "$(readlink "$tree/etc/localtime") $(cat "$tree/etc/timezone")" "../usr/share/zoneinfo/Europe/Berlin Europe/Berlin"

# links that a tenant planted
mkdir outside
for file in shadow passwd authorized_keys localtime timezone hostname hosts resolv.conf; do echo untouched >"outside/$file"; done
for file in shadow localtime timezone hostname hosts resolv.conf; do ln -sf "$PWD/outside/$file" "$tree/etc/$file"; done
rm -r "$tree/root/.ssh"
ln -s "$PWD/outside" "$tree/root/.ssh"
cella set one --userpasswd root:third --hostname two --nameserver 192.0.2.9 >/dev/null 2>&1 || true
cella set one --sshkey "$key" >/dev/null 2>&1 || true
cella set one --timezone Europe/Berlin >/dev/null 2>&1 || true
cella restart --fast one >/dev/null
is "no link leads outside" "$(cat outside/* | sort | uniq -c | tr -s ' ')" " 8 untouched"
is "nor is anything new there" "$(find outside -type f | wc -l)" 8
