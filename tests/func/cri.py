#!/usr/bin/env python3
"""Calls of the Kubernetes container runtime interface, for tests: what crictl would be used for.

cri.py SOCKET METHOD JSON: send the request (fields by number, see api.proto of k8s.io/cri-api,
v1: {"1": "text", "2": {"1": 5}, "3": ["a", "b"]}) and print the answer's fields in the same way.
cri.py --image ROOT.tar NAME ARCHIVE ARG...: write an OCI archive of an image that runs ARG...
"""
import hashlib
import io
import json
import sys
import tarfile


def varint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def encode(value):
    """A message as protobuf: numbers are varints, everything else has its length in front."""
    out = b""
    for key, items in value.items():
        for item in items if isinstance(items, list) else [items]:
            if isinstance(item, (int, bool)):
                out += varint(int(key) << 3) + varint(int(item))
                continue
            data = encode(item) if isinstance(item, dict) else item.encode()
            out += varint(int(key) << 3 | 2) + varint(len(data)) + data
    return out


def read_varint(data, at):
    number = shift = 0
    while True:
        number |= (data[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 128:
            return number, at


def decode(data):
    """The fields of a message: text where it is text, a message where it can be read as one."""
    fields, at = {}, 0
    while at < len(data):
        key, at = read_varint(data, at)
        if key >> 3 == 0:
            raise ValueError("no message")
        if key & 7 == 0:
            value, at = read_varint(data, at)
        elif key & 7 == 2:
            size, at = read_varint(data, at)
            if at + size > len(data):
                raise ValueError("no message")
            value, at = guess(data[at : at + size]), at + size
        else:
            raise ValueError("no message")
        fields.setdefault(str(key >> 3), []).append(value)
    return {k: v[0] if len(v) == 1 else v for k, v in fields.items()}


def guess(data):
    try:
        text = data.decode()
        if text.isprintable() or text.strip().isprintable():
            return text
    except UnicodeDecodeError:
        pass
    try:
        return decode(data)
    except (ValueError, IndexError):
        return data.hex()


def call(socket, method, request):
    import grpc

    with grpc.insecure_channel("unix://" + socket) as channel:
        try:
            answer = channel.unary_unary("/runtime.v1.RuntimeService/" + method)(encode(request), timeout=100)
        except grpc.RpcError as error:
            sys.exit(f"{method}: {error.code().name}: {error.details()}")
    json.dump(decode(answer), sys.stdout)
    print()


def image(layer, name, archive, *args):
    blobs = {}

    def blob(kind, data):
        digest = hashlib.sha256(data).hexdigest()
        blobs[digest] = data
        return {"mediaType": "application/vnd.oci.image." + kind, "digest": "sha256:" + digest, "size": len(data)}

    with open(layer, "rb") as file:
        layer_blob = blob("layer.v1.tar", file.read())
    config = {"architecture": "amd64", "os": "linux", "config": {"Cmd": list(args), "Env": ["PATH=/bin"]}}
    config["rootfs"] = {"type": "layers", "diff_ids": [layer_blob["digest"]]}
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json"}
    manifest["config"] = blob("config.v1+json", json.dumps(config).encode())
    manifest["layers"] = [layer_blob]
    entry = blob("manifest.v1+json", json.dumps(manifest).encode())
    entry["annotations"] = {"io.containerd.image.name": name}
    files = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}'}
    files["index.json"] = json.dumps({"schemaVersion": 2, "manifests": [entry]}).encode()
    files.update({"blobs/sha256/" + digest: data for digest, data in blobs.items()})
    with tarfile.open(archive, "w") as tar:
        for path, data in files.items():
            info = tarfile.TarInfo(path)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


if __name__ == "__main__":
    if sys.argv[1] == "--image":
        image(*sys.argv[2:])
    else:
        call(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]))
