#!/usr/bin/env python3
# Power cuts, from what dm-log-writes (Documentation/admin-guide/device-mapper/log-writes.rst) recorded of a device.
#   cuts.py LOG DEVICE IMAGE COUNT SEED
# DEVICE is a copy of the device before LOG. IMAGE becomes what is on it after a cut; then a line comes out,
#   COMMAND during|after WHERE
# and when a line comes in it goes on with the next one: COUNT in each command, and one at its end. Commands are
# between the marks "begin:COMMAND" and "end:COMMAND".
# The log has a write when the flush after it was asked for, and one with FUA, or a mark, when it was done. So at a
# cut all before the last flush is on the disk, and of what comes after it anything may be:
#   none      a cache that lost all (but what was written with FUA)
#   all       one that wrote all
#   NUMBER    of each write some of its blocks, or none, or all: a random choice by this number
import os, random, struct, sys

FLUSH, FUA, DISCARD, MARK = 1, 2, 4, 8
SUPER, ENTRY = struct.Struct("<QQQI"), struct.Struct("<QQQQ")
MAGIC = 0x6A736677736872
BLOCK = 4096


def read_log(log):
    """(flags, offset, length, place of the data in the log) of each entry; of a mark its text instead of the place"""
    magic, version, count, sector = SUPER.unpack(log.read(SUPER.size))
    if magic != MAGIC or version != 1:
        sys.exit("this is no log of dm-log-writes")
    place = sector
    for _ in range(count):
        log.seek(place)
        head = log.read(sector)
        at, sectors, flags, length = ENTRY.unpack_from(head)
        place += sector
        if flags & MARK:
            yield flags, 0, 0, head[ENTRY.size : ENTRY.size + length].rstrip(b"\0").decode()
        else:
            yield flags, at * sector, sectors * sector, place
            # without data, and the device may do nothing about it
            place += 0 if flags & DISCARD else sectors * sector


def play(log, entries, file, way):
    chance = random.Random(way)
    for flags, offset, length, place in entries:
        if flags & (MARK | DISCARD):
            continue
        share = 1 if way == "all" or flags & FUA else 0 if way == "none" else chance.choice((0, 0.5, 1))
        for at in range(0, length, BLOCK):
            if share == 1 or chance.random() < share:
                log.seek(place + at)
                os.pwrite(file, log.read(min(BLOCK, length - at)), offset + at)


def copy_file(source, to):
    size = os.fstat(source).st_size
    os.ftruncate(to, 0)
    os.ftruncate(to, size)
    end = 0
    while True:
        try:
            at = os.lseek(source, end, os.SEEK_DATA)
        except OSError:
            return
        end = os.lseek(source, at, os.SEEK_HOLE)
        os.lseek(to, at, os.SEEK_SET)
        while at < end:
            at += os.sendfile(to, source, at, end - at)


def choose(flushes, count, chance):
    """All ways at each flush, and if these are not enough some between them"""
    cuts = [(first, end, way) for first, end in flushes for way in ("none", "all", str(chance.randrange(1 << 30)))]
    while len(cuts) < count:
        first, end = chance.choice(flushes)
        cuts.append((first, chance.randint(first, end), str(chance.randrange(1 << 30))))
    return sorted(chance.sample(cuts, count))


def plan(entries, count, seed):
    """(COMMAND, PHASE, first entry that was not flushed, end, way) in the order of the log"""
    chance = random.Random(seed)
    flushed, flushes, command = 0, [], ""
    for i, (flags, _, _, text) in enumerate(entries):
        if flags & FLUSH:
            flushes.append((flushed, i))
            flushed = i  # what is written with a flush is not what it makes sure of
        if not flags & MARK:
            continue
        what, _, name = text.partition(":")
        if what == "begin":
            command, flushes = name, []
        if what != "end":  # the device's own mark, of its end
            continue
        flushes.append((flushed, i))
        for first, end, way in choose(flushes, count, chance):
            yield command, "during", first, end, way
        yield command, "after", flushed, i, "none"


def main(log_path, device_path, image_path, count, seed):
    log = open(log_path, "rb")
    entries = list(read_log(log))
    device, image = os.open(device_path, os.O_RDWR), os.open(image_path, os.O_RDWR)
    at = 0
    for command, phase, first, end, way in plan(entries, int(count), int(seed)):
        play(log, entries[at:first], device, "all")
        at = first
        copy_file(device, image)
        play(log, entries[first:end], image, way)
        print(command, phase, f"entry {end} of {len(entries)}, flushed {first}, then {way}", flush=True)
        if not sys.stdin.readline():
            return


main(*sys.argv[1:])
