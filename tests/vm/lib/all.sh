# Everything a script needs to build, boot and use test guests. Sourced.
# shellcheck shell=bash
lib=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
for part in config image qemu guest; do
	# shellcheck source=/dev/null
	. "$lib/$part.sh"
done
