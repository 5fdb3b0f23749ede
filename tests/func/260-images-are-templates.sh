#!/bin/bash
# container images as templates: layers in order, whiteouts, digests, one of several; export and import give the same tree
# timeout: 240
. "$(dirname "$0")/lib.sh"
# shellcheck source=vps.sh
. "$func_dir/vps.sh"
needs jq busybox sha256sum

# layer NAME: a tar of the directory NAME, its digest in $digest
layer() {
	tar -C "$1" --owner=0 --group=0 --sort=name -cf "$1.tar" .
	digest=$(sha256sum "$1.tar" | cut -d ' ' -f 1)
}
# blob FILE: into the layout; its digest in $digest
blob() {
	digest=$(sha256sum "$1" | cut -d ' ' -f 1)
	cp "$1" "layout/blobs/sha256/$digest"
}
# descriptor FILE TYPE: as JSON, the file put into the layout
descriptor() {
	blob "$1"
	jq -nc --arg d "sha256:$digest" --arg t "$2" --argjson s "$(stat -c %s "$1")" '{mediaType: $t, digest: $d, size: $s}'
}

mkdir -p low/bin low/etc/dir low/gone low/opaque low/kept low/turns upper/etc upper/opaque upper/kept top/etc
cp "$(command -v busybox)" low/bin/busybox
for name in sh init ls cat; do ln -s busybox "low/bin/$name"; done
echo low >low/etc/file
echo low >low/etc/dir/inner
echo low >low/gone/file
echo low >low/opaque/old
echo low >low/kept/old
echo low >low/turns/file
echo low >low/victim
# the second: removes a directory and a file, hides one directory's contents, turns a directory into a file
touch upper/.wh.gone upper/.wh.victim upper/opaque/.wh..wh..opq
echo upper >upper/opaque/new
echo upper >upper/kept/new
echo upper >upper/turns
echo upper >upper/etc/file
# the third: brings back what the second removed
echo top >top/victim
echo 'PRETTY_NAME="Layered 1"' >top/etc/os-release

mkdir -p layout/blobs/sha256
echo '{"imageLayoutVersion":"1.0.0"}' >layout/oci-layout
layer low && low_id=$digest
layer upper && upper_id=$digest
layer top && top_id=$digest
gzip -k upper.tar
gzip=application/vnd.oci.image.layer.v1.tar+gzip plain=application/vnd.oci.image.layer.v1.tar
jq -nc --arg a "$low_id" --arg b "$upper_id" --arg c "$top_id" \
	'{architecture: "amd64", os: "linux", rootfs: {type: "layers", diff_ids: ["sha256:" + $a, "sha256:" + $b, "sha256:" + $c]}}' >config
jq -nc --argjson config "$(descriptor config application/vnd.oci.image.config.v1+json)" --argjson a "$(descriptor low.tar $plain)" \
	--argjson b "$(descriptor upper.tar.gz $gzip)" --argjson c "$(descriptor top.tar $plain)" \
	'{schemaVersion: 2, config: $config, layers: [$a, $b, $c]}' >manifest
image=$(descriptor manifest application/vnd.oci.image.manifest.v1+json)
case $(uname -m) in x86_64) arch=amd64 ;; aarch64) arch=arm64 ;; *) arch=$(uname -m) ;; esac
jq -nc --argjson m "$image" --arg arch "$arch" '{schemaVersion: 2, manifests: [
	($m + {platform: {os: "linux", architecture: $arch}, annotations: {"org.opencontainers.image.ref.name": "new"}}),
	($m + {platform: {os: "linux", architecture: "sparc"}})]}' >layout/index.json

tree_of() { echo "$CELLA_ROOT/var/lib/cella/template/tree-sha256-$(cella template info "$1" --json | jq -r .digest)"; }
listing() { (cd "$1" && find . -printf '%y %m %U:%G %p %l\n' | sort); }
check "an OCI layout" cella template import layout layered
tree=$(tree_of layered)
is "files of the upper layer replace" "$(cat "$tree/etc/file")" upper
is "others stay" "$(cat "$tree/etc/dir/inner")" low
check "a whiteout removes a directory" test ! -e "$tree/gone"
is "an opaque one hides what was in it" "$(ls "$tree/opaque")" new
is "an ordinary one does not" "$(cd "$tree/kept" && echo *)" "new old"
is "a directory may become a file" "$(cat "$tree/turns")" upper
is "what was removed may come back" "$(cat "$tree/victim")" top
is "no whiteout is a file" "$(find "$tree" -name '.wh.*')" ""
is "info" "$(cella template info layered --json | jq -r '.name + " " + .os')" "layered Layered 1"
like "as a table" "$(cella template info layered)" "sha256 +[0-9a-f]{64}"
check "a VPS runs from it" cella create one --ostemplate layered
check "and starts" cella start one
is "with its files" "$(cella exec one -- cat /victim)" top

tar -C layout -cf archive.tar .
check "the layout in an archive" cella template import archive.tar from-archive
is "is the same tree" "$(listing "$(tree_of from-archive)")" "$(listing "$tree")"
check "again, under another name" cella template import archive.tar twice
is "is unpacked once" "$(tree_of twice)" "$(tree_of from-archive)"
check "one image by its tag" cella template import --image new archive.tar tagged
check_fails "a tag that is not there" "there is no image old" cella template import --image old archive.tar other

# as docker save has it
mkdir -p docker/a docker/b docker/c
cp low.tar docker/a/layer.tar
cp upper.tar docker/b/layer.tar
cp top.tar docker/c/layer.tar
cp config docker/config.json
echo '[{"Config":"config.json","RepoTags":["it:latest"],"Layers":["a/layer.tar","b/layer.tar","c/layer.tar"]}]' >docker/manifest.json
tar -C docker -cf docker.tar .
check "docker's archive" cella template import docker.tar docker
is "is the same tree as well" "$(listing "$(tree_of docker)")" "$(listing "$tree")"

trees() { find "$CELLA_ROOT/var/lib/cella/template" -maxdepth 1 | sort; }
before=$(trees)
# of a manifest that was not seen before: what was unpacked is not unpacked again
jq -c '.annotations = {a: "b"}' manifest >changed
image=$(descriptor changed application/vnd.oci.image.manifest.v1+json)
jq -nc --argjson m "$image" '{schemaVersion: 2, manifests: [$m]}' >layout/index.json
printf x >>"layout/blobs/sha256/$top_id"
check_fails "a layer that is not what it is named" "has the digest sha256:.* and not" cella template import layout bad
cp top.tar "layout/blobs/sha256/$top_id"
echo tampered >>docker/b/layer.tar
tar -C docker -cf docker.tar .
check_fails "the same in docker's" "b/layer.tar has the digest" cella template import docker.tar bad
echo '[{"Config":"config.json","Layers":["/../../../etc/passwd","b/layer.tar","c/layer.tar"]}]' >docker/manifest.json
tar -C docker -cf docker.tar .
check_fails "a layer outside of the image" "No such file|has the digest" cella template import docker.tar bad
mkdir evil && touch 'evil/.wh...'
layer evil
cp evil.tar docker/a/layer.tar
jq -nc --arg d "sha256:$digest" '{rootfs: {diff_ids: [$d]}}' >docker/config.json
echo '[{"Config":"config.json","Layers":["a/layer.tar"]}]' >docker/manifest.json
tar -C docker -cf docker.tar .
check_fails "a whiteout of what is above" "a whiteout of nothing" cella template import docker.tar bad
check_fails "a directory that is no image" "no OCI layout" cella template import low bad
is "refused ones leave nothing" "$(trees)" "$before"

for suffix in tar tar.gz tar.zst; do
	check "export as .$suffix" cella template export layered "out.$suffix"
	check "import of it" cella template import "out.$suffix" "back-$suffix"
	is "is the same tree" "$(listing "$(tree_of "back-$suffix")")" "$(listing "$tree")"
done
is "nothing half lies about" "$(find . -maxdepth 1 -name '*.part')" ""
check_fails "another ending" "is not called .tar" cella template export layered out.zip
