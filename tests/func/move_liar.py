#!/usr/bin/env python3
"""A source of a move that lies: speaks frames to "PROGRAM migrate-receive" and prints what each lie was answered."""
import hashlib, json, struct, subprocess, sys

KINDS = ("EOF HELLO OFFER BEGIN DATA ROUND END COMMIT ABORT RELEASE QUERY ACCEPT REFUSE READY PROGRESS PREPARED DONE FAILED "
         "STATE").split()
ID = "0123456789abcdef" * 2
HELLO = ("HELLO", {"protocol": 2, "cella": "0"})
OFFER = ("OFFER", {"name": "liar", "conf": "", "bytes": 4096, "running": 0})
BEGIN = ("BEGIN", {"id": ID})


def end(data, **other):
    return ("END", {"bytes": len(data), "digest": hashlib.sha256(data).hexdigest(), "traffic": []} | other)


def frame(kind, payload):
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return b"CMV1" + struct.pack(">II", KINDS.index(kind), len(data)) + data


LIES = {
    "digest": [HELLO, OFFER, BEGIN, ("DATA", b"disk"), end(b"dish")],
    "damaged": [HELLO, OFFER, BEGIN, ("DATA", b"disk"), end(b"disk")],
    "round": [HELLO, OFFER, BEGIN, ("DATA", b"disk"), ("ROUND", {"bytes": 4, "digest": "0" * 64})],
    "many": [HELLO, OFFER, BEGIN, ("ROUND", {"bytes": 0, "digest": hashlib.sha256().hexdigest()})],
    "more": [HELLO, OFFER, BEGIN] + [("DATA", bytes(1 << 18))] * 257,
    "path": [HELLO, ("OFFER", OFFER[1] | {"name": "../liar"})],
    "replay": [HELLO, ("COMMIT", {"id": ID, "name": "liar"})],
    "other": [HELLO, ("COMMIT", {"id": ID, "name": "two"})],
    "long": [HELLO, ("BEGIN", bytes(5000))],
    "early": [HELLO, BEGIN],
    "cut": [HELLO, OFFER, BEGIN, ("DATA", b"disk")],
    "version": [("HELLO", {"protocol": 3, "cella": "9"})],
}

for lie in sys.argv[2:]:
    child = subprocess.Popen([sys.argv[1], "-q", "migrate-receive"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL)
    try:
        for one in LIES[lie]:
            child.stdin.write(frame(*one))
        child.stdin.close()
    except BrokenPipeError:
        pass  # it has heard enough
    answer = child.stdout.read()
    child.wait()
    said = []
    while len(answer) >= 12:
        kind, size = struct.unpack(">II", answer[4:12])
        payload = json.loads(answer[12:12 + size])
        answer = answer[12 + size:]
        said.append(KINDS[kind] + "".join(f" {payload[key]}" for key in ("state", "text") if key in payload))
    print(f"{lie}: {said[-1]}")
