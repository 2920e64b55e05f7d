#!/usr/bin/env python3
"""Runs a command against a hub of its own.

usage: with_hub.py NEARHUB_BINARY [--serve-flag FLAG]... -- COMMAND...

The hub listens on a random loopback address with the ports that the SDKs know, 8883 and 443. The command's environment gets:
  NEARHUB_READY     the ready file's JSON
  NEARHUB_HOST      the address, which is the hub's name
  NEARHUB_BINARY    the hub's binary, for `nearhub` commands
  NODE_EXTRA_CA_CERTS, REQUESTS_CA_BUNDLE, SSL_CERT_FILE   the hub's CA file
"""
import argparse
import ctypes
import json
import os
import random
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time

START_SECONDS = 60
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000


def may_listen_on_443(address):
    with socket.socket() as probe:
        try:
            probe.bind((address, 443))
            return True
        except PermissionError:
            return False


def enter_network_namespace():
    """A loopback of our own, on which every port is ours."""
    import fcntl
    import struct

    uid, gid = os.getuid(), os.getgid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0:
        sys.exit("with_hub.py: port 443 is not permitted, and neither is a network namespace: run as root, or allow one of them "
                 "(sysctl net.ipv4.ip_unprivileged_port_start=443)")
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)
    with socket.socket() as control:
        request = struct.pack("16sH14s", b"lo", 0x1 | 0x40, b"")  # IFF_UP | IFF_RUNNING
        fcntl.ioctl(control, 0x8914, request)  # SIOCSIFFLAGS


def read_ready(path, hub, log):
    """The ready file comes through a pipe: waiting for it is waiting for data."""
    pipe = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    deadline = time.monotonic() + START_SECONDS
    text = b""
    while not text.endswith(b"\n"):
        if hub.poll() is not None or time.monotonic() > deadline:
            log.seek(0)
            sys.exit("with_hub.py: the hub did not become ready:\n" + log.read().decode(errors="replace"))
        if select.select([pipe], [], [], 0.1)[0]:
            text += os.read(pipe, 65536)
            if not text:
                hub_ended = hub.poll() is not None
                if not hub_ended:
                    select.select([], [], [], 0.01)
    os.close(pipe)
    return json.loads(text)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--serve-flag", action="append", default=[])
    if "--" not in sys.argv:
        parser.error("no -- COMMAND")
    split = sys.argv.index("--")
    arguments, command = parser.parse_args(sys.argv[1:split]), sys.argv[split + 1:]

    address = "127.%d.%d.%d" % (random.randint(1, 254), random.randint(0, 255), random.randint(1, 254))
    if not may_listen_on_443(address):
        enter_network_namespace()

    with tempfile.TemporaryDirectory(prefix="nearhub-sdk-") as folder, tempfile.TemporaryFile() as log:
        ready_pipe = os.path.join(folder, "ready")
        os.mkfifo(ready_pipe)
        hub = subprocess.Popen(
            [arguments.binary, "serve", "--data", os.path.join(folder, "data"), "--bind", address, "--host", address, "--host", "hub.local.test",
             "--mqtts", "8883", "--https", "443", "--well-known-keys", "--ready-file", ready_pipe, "--device", "first-device"] + arguments.serve_flag,
            stdout=log, stderr=log)
        try:
            ready = read_ready(ready_pipe, hub, log)
            environment = dict(os.environ, NEARHUB_READY=json.dumps(ready), NEARHUB_HOST=address, NEARHUB_BINARY=os.path.abspath(arguments.binary),
                               NODE_EXTRA_CA_CERTS=ready["caFile"], REQUESTS_CA_BUNDLE=ready["caFile"], SSL_CERT_FILE=ready["caFile"])
            code = subprocess.run(command, env=environment).returncode
        finally:
            hub.send_signal(signal.SIGTERM)
            hub_code = hub.wait(timeout=60)
        log.seek(0)
        text = log.read().decode(errors="replace")
        if code != 0 or hub_code != 0:
            print("--- the hub's log, its last lines:\n" + "\n".join(text.splitlines()[-60:]))
            print(f"--- command: {code}, hub: {hub_code}")
        sys.exit(code if code != 0 else hub_code)


if __name__ == "__main__":
    main()
