#!/bin/bash
# the installed programs start and tell their version
. "$(dirname "$0")/lib.sh"

for program in cella-oci cella; do
	path=$(command -v $program) || { not_ok "$program is installed" && continue; }
	ok "$program is installed"
	like "$program --version" "$($path --version)" "${program}[a-z ]* [0-9]+\.[0-9]+\.[0-9]+"
	check "$program --help" sh -c "$path --help | grep -q Usage:"
	check "$program --help fits a screen" test "$($path --help | wc -l)" -le 24
done
