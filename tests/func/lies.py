#!/usr/bin/env python3
# What a hostile VPS says on the wire, and who hears it.
#   lies.py send INTERFACE MAC IPV4 IPV6 VICTIM-MAC VICTIM-IPV4 VICTIM-IPV6 GATEWAY-MAC   tells each lie three times
#   lies.py hear FILE INTERFACE...    writes READY to FILE, then the name of each lie heard, until it is ended
# The first words are honest, to the victim and to the world. Each ends with a mark, so that it is known wherever it turns up.
import ipaddress, os, select, socket, struct, sys

MARK = b"CELLA-LIE:"


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ip4(source, dest, proto, data, fragment=0):
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(data), 77, fragment, 64, proto, 0, source, dest)
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + data


def ip6(source, dest, proto, data):
    return struct.pack("!IHBB16s16s", 6 << 28, len(data), proto, 255, source, dest) + data


def udp(source, dest, data, pseudo=b""):
    head = struct.pack("!HHHH", source, dest, 8 + len(data), 0)
    value = checksum(pseudo + struct.pack("!II", 8 + len(data), 17) + head + data) if pseudo else 0
    return head[:6] + struct.pack("!H", value) + data


def icmp6(source, dest, kind, data):
    head = struct.pack("!BBH", kind, 0, 0) + data
    return head[:2] + struct.pack("!H", checksum(source + dest + struct.pack("!II", len(head), 58) + head)) + head[4:]


def arp(operation, sender_mac, sender, target_mac, target):
    return struct.pack("!HHBBH6s4s6s4s", 1, 0x800, 6, 4, operation, sender_mac, sender, target_mac, target)


def link_local(of_mac):
    return b"\xfe\x80" + b"\0" * 6 + bytes([of_mac[0] ^ 2]) + of_mac[1:3] + b"\xff\xfe" + of_mac[3:]


def lies(my_mac, my4, my6, its_mac, its4, its6, gateway_mac):
    all_mac, none4, none6 = b"\xff" * 6, b"\0" * 4, b"\0" * 16
    link6 = link_local(my_mac)
    all6, all6_mac = ipaddress.ip_address("ff02::1").packed, mac("33:33:00:00:00:01")
    router6 = link_local(gateway_mac)
    far4, far6 = ipaddress.ip_address("198.51.100.1").packed, ipaddress.ip_address("2001:db8:ff::1").packed
    other_mac = mac("02:66:66:66:66:66")

    def frame(kind, body, source=my_mac, dest=its_mac):
        return dest + source + struct.pack("!H", kind) + body

    def nd(kind, data, source=my6, dest=all6):
        return ip6(source, dest, 58, icmp6(source, dest, kind, data))

    advertisement = struct.pack("!BBHII", 64, 0, 1800, 0, 0) + b"\1\1" + my_mac
    for dest in (its_mac, gateway_mac):  # to the victim where there is a bridge, through the host where it routes
        where = "" if dest == its_mac else ", routed"
        for to4, to6, far in ((its4, its6, ""), (far4, far6, " to the uplink")):
            yield "IPv4 source" + far + where, lambda m, d=dest, t=to4: frame(0x800, ip4(its4 if t != its4 else far4, t, 17, udp(9, 9, m)), dest=d)
            yield "IPv6 source" + far + where, lambda m, d=dest, t=to6, s=(its6 if to6 != its6 else far6): frame(0x86DD, ip6(s, t, 17, udp(9, 9, m, s + t)), dest=d)
            yield "IPv4 source in a fragment" + far + where, lambda m, d=dest, t=to4: frame(0x800, ip4(its4 if t != its4 else far4, t, 17, m + b"\0" * 6, 8), dest=d)
            yield "IPv6 source in a fragment" + far + where, lambda m, d=dest, t=to6, s=(its6 if to6 != its6 else far6): frame(0x86DD, ip6(s, t, 44, struct.pack("!BBHI", 17, 0, 8, 1) + m), dest=d)
        yield "MAC source" + where, lambda m, d=dest: frame(0x800, ip4(my4, its4, 17, udp(9, 9, m)), source=other_mac, dest=d)
        yield "MAC source of the victim" + where, lambda m, d=dest: frame(0x800, ip4(my4, far4, 17, udp(9, 9, m)), source=its_mac, dest=d)
    yield "ARP request", lambda m: frame(0x806, arp(1, my_mac, far4, none4 + b"\0\0", its4) + m, dest=all_mac)
    yield "ARP request from another MAC", lambda m: frame(0x806, arp(1, other_mac, my4, none4 + b"\0\0", its4) + m, dest=all_mac)
    yield "ARP reply", lambda m: frame(0x806, arp(2, my_mac, far4, its_mac, its4) + m)
    yield "gratuitous ARP", lambda m: frame(0x806, arp(1, my_mac, its4, all_mac, its4) + m, dest=all_mac)
    yield "gratuitous ARP reply", lambda m: frame(0x806, arp(2, my_mac, its4, all_mac, its4) + m, dest=all_mac)
    yield "ARP probe", lambda m: frame(0x806, arp(1, my_mac, none4, b"\0" * 6, its4) + m, dest=all_mac)
    yield "NS", lambda m: frame(0x86DD, nd(135, bytes(4) + its6 + b"\1\1" + other_mac) + m)
    yield "DAD", lambda m: frame(0x86DD, nd(135, bytes(4) + its6, none6) + m, dest=all6_mac)
    yield "NA", lambda m: frame(0x86DD, nd(136, b"\x20\0\0\0" + its6 + b"\2\1" + my_mac) + m, dest=all6_mac)
    yield "NA of the router", lambda m: frame(0x86DD, nd(136, b"\xa0\0\0\0" + router6 + b"\2\1" + my_mac) + m, dest=all6_mac)
    yield "RA", lambda m: frame(0x86DD, nd(134, advertisement, link6) + m, dest=all6_mac)
    yield "RA behind a header", lambda m: frame(0x86DD, ip6(link6, all6, 60, b"\x3a\0\1\4\0\0\0\0" + icmp6(link6, all6, 134, advertisement)) + m, dest=all6_mac)
    yield "RA in a fragment", lambda m: frame(0x86DD, ip6(link6, all6, 44, struct.pack("!BBHI", 58, 0, 1, 7) + icmp6(link6, all6, 134, advertisement)) + m, dest=all6_mac)
    yield "IPv6 redirect", lambda m: frame(0x86DD, nd(137, bytes(4) + my6 + far6, router6, its6) + m)
    yield "IPv4 redirect", lambda m: frame(0x800, ip4(my4, its4, 1, struct.pack("!BBH4s", 5, 1, 0, my4) + m))
    yield "DHCP offer", lambda m: frame(0x800, ip4(my4, b"\xff" * 4, 17, udp(67, 68, b"\2\1\6\0" + m)), dest=all_mac)
    yield "DHCPv6 offer", lambda m: frame(0x86DD, ip6(link6, all6, 17, udp(547, 546, b"\2" + m)), dest=all6_mac)
    yield "a tag", lambda m: frame(0x8100, struct.pack("!HH", 5, 0x800) + ip4(my4, its4, 17, udp(9, 9, m)))
    yield "two tags", lambda m: frame(0x88A8, struct.pack("!HHHH", 5, 0x8100, 5, 0x800) + ip4(my4, its4, 17, udp(9, 9, m)))
    yield "spanning tree", lambda m: mac("01:80:c2:00:00:00") + my_mac + struct.pack("!H", 38 + len(m)) + b"\x42\x42\3" + bytes(35) + m
    yield "PPPoE", lambda m: frame(0x8863, b"\x11\x09\0\0\0\0" + m, dest=all_mac)
    yield "unknown protocol", lambda m: frame(0x9090, m)
    yield "IGMP query", lambda m: frame(0x800, ip4(my4, b"\xe0\0\0\1", 2, b"\x11\0\xee\xff\0\0\0\0") + m, dest=mac("01:00:5e:00:00:01"))


def send(interface, *words):
    macs, addresses = (0, 3, 6), [mac(w) if ":" in w and len(w) == 17 else ipaddress.ip_address(w).packed for w in words]
    assert all(len(addresses[i]) == 6 for i in macs)
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    wire.bind((interface, 0))
    my_mac, my4, my6, its_mac, its4, _, gateway_mac = addresses
    far4 = ipaddress.ip_address("198.51.100.1").packed
    for dest, to4 in ((its_mac, its4), (gateway_mac, far4)):
        wire.send(dest + my_mac + b"\x08\0" + ip4(my4, to4, 17, udp(9, 9, MARK + b"honest;")))
    told = list(lies(*addresses))
    for name, make in told * 3:
        wire.send(make(MARK + name.encode() + b";"))
    print(len(told))


def hear(path, *interfaces):
    ears = []
    for interface in interfaces:
        ear = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        ear.bind((interface, 0))
        ears.append(ear)
    with open(path, "a") as out:
        print("READY", file=out, flush=True)
        while True:
            for ear in select.select(ears, [], [])[0]:
                data, where = ear.recvfrom(65535)
                if where[2] != socket.PACKET_OUTGOING and MARK in data:
                    print(where[0], data.split(MARK)[1].split(b";")[0].decode(errors="replace"), file=out, flush=True)


{"send": send, "hear": hear}[sys.argv[1]](*sys.argv[2:])
