#!/bin/bash
# every example of the manual pages runs as it is printed; completion offers what the tables have
# timeout: 240
. "$(dirname "$0")/lib.sh"
# shellcheck source=vps.sh
. "$func_dir/vps.sh"
needs jq busybox script
pages=/usr/local/share/man
[ -e $pages/man8/cella.8 ] || skip_rest "the manual is not installed"

# blocks PAGE: its examples into example.1, example.2, ..., as a reader sees them
blocks() {
	rm -f example.*
	awk '
		/^\.Sh / { inside = $2 == "EXAMPLES" }
		inside && /^\.Bd/ { number++; copy = 1; next }
		inside && /^\.Ed/ { copy = 0; next }
		copy { gsub(/\\-/, "-"); gsub(/\\e/, "\\"); print >"example." number }' "$1"
}

blocks $pages/man8/cella.8
is "cella.8 has examples" "$(printf "%s\n" example.* | wc -l)" 3
for example in example.*; do
	while read -r line <&3; do
		check "cella.8: $line" bash -c "$line"
	done 3<"$example"
done
is "the last lines have removed what was made" "$(cella list --names)" ""

blocks $pages/man8/cella-oci.8
is "cella-oci.8 has examples" "$(printf "%s\n" example.* | wc -l)" 2
sed -i "s|^cella-oci |cella-oci --root '$OCI_ROOT' |; s|&& cella-oci |\&\& cella-oci --root '$OCI_ROOT' |" example.1
check "cella-oci.8: a first container" timeout 60 script -qec 'bash -e example.1 <<<exit' /dev/null
if command -v podman >/dev/null; then
	like "cella-oci.8: called by podman" "$(bash -e example.2 2>&1)" "hello"
fi

blocks $pages/man5/cella.conf.5
is "cella.conf.5 has one" "$(printf "%s\n" example.* | wc -l)" 1
cp example.1 "$conf_dir/web1.conf"
is "cella.conf.5: it is read" "$(cella show web1 --json | jq -r '.limits.ramBytes, .limits.processes, .onBoot, (.addresses | join(" "))' | tr '\n' ' ')" \
	"$((131072 * 4096)) 512 true 192.0.2.7 2001:db8::7 198.51.100.7 "
rm "$conf_dir/web1.conf"

# --- completion ------------------------------------------------------------------------------

# complete WORD...: what bash would offer for the last one
complete_words() {
	bash -c '. /usr/local/share/bash-completion/completions/cella
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _cella; printf "%s\n" "${COMPREPLY[@]}"' - "$@" | sort | tr '\n' ' '
}
vps_make alpha
vps_make beta
is "names" "$(complete_words cella start '')" "alpha beta "
is "commands" "$(complete_words cella sta)" "start stats status "
is "options" "$(complete_words cella console --)" "--help --start "
is "values" "$(complete_words cella create --autorestart '')" "always no on-failure "
is "verbs of a verb" "$(complete_words cella template i)" "import info "
for command in $(cella completion list | awk -F'\t' '$2 == "-" { print $1 }'); do
	[ "$(complete_words cella "$command" --hel)" = "--help " ] || not_ok "$command is completed"
done
ok "every command is completed"
if command -v zsh >/dev/null; then
	check "zsh reads its own" zsh -n /usr/local/share/zsh/site-functions/_cella
fi
