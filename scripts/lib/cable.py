#!/usr/bin/env python3
"""Cables with a delay, for scripts/hosts where the kernel has no netem.

    cable.py MICROSECONDS SWITCH COUNT PREFIX

For each of COUNT hosts, makes a TAP device eth0 in the network namespace PREFIX<i> and a TAP device port<i> in the
namespace SWITCH, and carries frames between them: from host to switch after the delay, back at once, so that any way
between two hosts has the delay once. Prints a line when the devices are there; ends when it is killed or they vanish.
"""

import collections
import ctypes
import fcntl
import os
import select
import struct
import sys
import time

# linux/if_tun.h, linux/prctl.h
TUNSETIFF, TUNSETOFFLOAD = 0x400454CA, 0x400454D0
TAP_NO_INFO_VNET_HEADER = 0x0002 | 0x1000 | 0x4000
CHECKSUM_TSO4_TSO6 = 0x01 | 0x02 | 0x04
PR_SET_TIMERSLACK = 29
# A segment of 64 KiB, its headers, and the offload header in front.
LARGEST_FRAME = 66 * 1024

libc = ctypes.CDLL(None, use_errno=True)


def enter(namespace):
    """Moves this process into a network namespace made by `ip netns`."""
    descriptor = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    if libc.setns(descriptor, 0) != 0:
        sys.exit(f"cable: cannot enter {namespace}: {os.strerror(ctypes.get_errno())}")
    os.close(descriptor)


def tap(namespace, name):
    """A TAP device. Large segments and open checksums pass unsplit, as between the ends of a veth pair."""
    enter(namespace)
    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(descriptor, TUNSETIFF, struct.pack("16sH22x", name.encode(), TAP_NO_INFO_VNET_HEADER))
    fcntl.ioctl(descriptor, TUNSETOFFLOAD, CHECKSUM_TSO4_TSO6)
    return descriptor


def send(descriptor, frame):
    try:
        os.write(descriptor, frame)
    except OSError:
        pass  # The device is down: a cable that is cut loses what is in it.


def carry(hosts, ports, delay):
    """Carries frames until a device is gone. `hosts[i]` and `ports[i]` are the ends of one cable, `delay` is in s."""
    delayed = dict(zip(hosts, ports))
    prompt = dict(zip(ports, hosts))
    under_way = collections.deque()  # (due, descriptor, frame): one delay for all, so that the first is due first
    while True:
        timeout = max(0, under_way[0][0] - time.monotonic()) if under_way else None
        ready, _, _ = select.select(hosts + ports, [], [], timeout)
        for descriptor in ready:
            for _ in range(32):
                try:
                    frame = os.read(descriptor, LARGEST_FRAME)
                except BlockingIOError:
                    break
                if descriptor in delayed:
                    under_way.append((time.monotonic() + delay, delayed[descriptor], frame))
                else:
                    send(prompt[descriptor], frame)
        while under_way and under_way[0][0] <= time.monotonic():
            _, descriptor, frame = under_way.popleft()
            send(descriptor, frame)


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    microseconds, switch, count, prefix = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
    # The kernel may otherwise wake a sleeper 50 µs late.
    libc.prctl(PR_SET_TIMERSLACK, 1000)
    try:
        hosts = [tap(f"{prefix}{i + 1}", "eth0") for i in range(count)]
        ports = [tap(switch, f"port{i + 1}") for i in range(count)]
    except OSError as error:
        sys.exit(f"cable: {error}")
    print("ready", flush=True)
    try:
        carry(hosts, ports, microseconds * 1e-6)
    except OSError:
        sys.exit("cable: a device is gone")


if __name__ == "__main__":
    main()
