# Help for tests of moves: another host, which is a world of its own on this machine behind an sshd of
# its own. Sourced by tests after lib.sh and vps.sh.
# shellcheck shell=bash
# shellcheck disable=SC2154 # variables of lib.sh
needs ssh ssh-keygen jq python3
[ -x /usr/sbin/sshd ] || skip_rest "no sshd here"
export there_root=$TEST_DIR/there
export there_conf=$there_root/etc/cella/conf

# there COMMAND...: cella on the other host
there() { CELLA_ROOT=$there_root cella "$@"; }

remove_there() {
	local name
	for name in $(there list -1 2>/dev/null); do
		there stop --fast "$name"
		there destroy "$name"
	done
}

# other_host PROGRAM: "there" is one, whose key allows to run PROGRAM migrate-receive, with what is in the file there-env, once
other_host() {
	local ssh=$TEST_DIR/ssh

	mkdir -m 700 "$ssh" && mkdir -p /run/sshd
	ssh-keygen -q -t ed25519 -N '' -f "$ssh/host"
	ssh-keygen -q -t ed25519 -N '' -f "$ssh/key"
	printf '#!/bin/sh\n. "%s"\n: >"%s"\nCELLA_ROOT=%s exec %s migrate-receive\n' "$TEST_DIR/there-env" \
		"$TEST_DIR/there-env" "$there_root" "$1" >"$ssh/receive"
	chmod 755 "$ssh/receive"
	: >"$TEST_DIR/there-env"
	echo "restrict,command=\"$ssh/receive\" $(cat "$ssh/key.pub")" >"$ssh/authorized_keys"
	cat >"$ssh/sshd_config" <<-CONFIG
		Port 2222
		ListenAddress 127.0.0.1
		HostKey $ssh/host
		AuthorizedKeysFile $ssh/authorized_keys
		StrictModes no
		UsePAM no
		PidFile none
	CONFIG
	echo "[127.0.0.1]:2222 $(cat "$ssh/host.pub")" >"$ssh/known_hosts"
	cat >/etc/ssh/ssh_config.d/cella-test.conf <<-CONFIG
		Host there
		HostName 127.0.0.1
		Port 2222
		IdentityFile $ssh/key
		IdentitiesOnly yes
		UserKnownHostsFile $ssh/known_hosts
	CONFIG
	/usr/sbin/sshd -D -f "$ssh/sshd_config" 2>"$ssh/log" &
	cleanup kill $!
	cleanup rm -f /etc/ssh/ssh_config.d/cella-test.conf
	cleanup remove_there
	wait_for 30 bash -c ': </dev/tcp/127.0.0.1/2222'
}

# journal ROOT NAME: the state of its move on that host, "" when there is none
journal() { jq -r .state "$1/var/lib/cella/moving/$2.json" 2>/dev/null || true; }
