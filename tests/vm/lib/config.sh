# Where the test guests keep their things, and small helpers. Sourced by the scripts in tests/vm.
# shellcheck shell=bash disable=SC2034 # used by who sources this
here=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
cache=${CELLA_CACHE:-/var/cache/cella-test}
guests=$cache/guests # one directory per running guest

say() { printf '%(%H:%M:%S)T  %s\n' -1 "$*" >&2; }
die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# Names of the packages in a list, joined by commas as mmdebstrap wants them.
packages() { sed 's/#.*//; /^[[:space:]]*$/d' "$1" | paste -sd, -; }

# The image is named by what it is made from: a changed recipe is another image.
recipe_hash() {
	(cd "$here" && find image lib/image.sh -type f -print0 | sort -z | xargs -0 sha256sum |
		sha256sum | cut -c1-16)
}

image_dir() { echo "$cache/image-$(recipe_hash)"; }
qemu_dir() { echo "$cache/qemu-trixie-1"; }
