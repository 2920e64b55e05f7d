#!/usr/bin/env python3
"""How the registry does with many identities: bulk creation, lists, statistics, a device that connects, an export and an import; time, file and memory.

usage: registry.py NEARHUB_BINARY [--devices N] [--clients N]

Needs no package beyond Python's own library. One line a figure, to be compared between two runs on the same machine.
"""
import argparse
import base64
import hashlib
import hmac
import http.client
import json
import os
import signal
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time
import urllib.parse

BULK = 100  # the most that one request may hold


class Hub:
    def __init__(self, binary, folder):
        self.binary, self.folder, self.process = binary, folder, None

    def start(self):
        ready = os.path.join(self.folder, "ready.json")
        if os.path.exists(ready):
            os.unlink(ready)
        begin = time.monotonic()
        self.process = subprocess.Popen([self.binary, "serve", "--data", os.path.join(self.folder, "data"), "--mqtts", "0", "--https", "0",
                                         "--ready-file", ready, "--log-level", "warn"])
        while not os.path.exists(ready):
            if self.process.poll() is not None:
                raise SystemExit("the hub did not start")
            time.sleep(0.005)
        self.ready = json.load(open(ready))
        self.context = ssl.create_default_context(cafile=self.ready["caFile"])
        self.https, self.mqtts = (self.ready["endpoints"][name].split(":") for name in ("https", "mqtts"))
        parts = dict(part.split("=", 1) for part in self.ready["serviceConnectionString"].split(";"))
        self.token = sas("localhost", parts["SharedAccessKey"], parts["SharedAccessKeyName"])
        return time.monotonic() - begin

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()

    def connection(self):
        return http.client.HTTPSConnection(self.https[0], int(self.https[1]), context=self.context, timeout=300)

    def api(self, connection, method, path, body=None):
        separator = "&" if "?" in path else "?"
        connection.request(method, f"{path}{separator}api-version=2021-04-12", body, {"Authorization": self.token})
        response = connection.getresponse()
        return response.status, response.read()

    def memory_mb(self):
        for line in open(f"/proc/{self.process.pid}/status"):
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024

    def file_mb(self):
        names = ("nearhub.db", "nearhub.db-wal")
        paths = (os.path.join(self.folder, "data", name) for name in names)
        return sum(os.path.getsize(path) for path in paths if os.path.exists(path)) / 1024 / 1024


def sas(resource, key, policy=None):
    expiry = int(time.time()) + 24 * 3600
    encoded = urllib.parse.quote(resource, safe="")
    signature = base64.b64encode(hmac.new(base64.b64decode(key), f"{encoded}\n{expiry}".encode(), hashlib.sha256).digest())
    return f"SharedAccessSignature sr={encoded}&sig={urllib.parse.quote(signature, safe='')}&se={expiry}" + (f"&skn={policy}" if policy else "")


def figure(name, value, unit):
    print(f"{name:44} {value:12.1f} {unit}", flush=True)


def create(hub, devices, clients):
    faults = []

    def work(first):
        connection = hub.connection()
        for at in range(first * BULK, devices, clients * BULK):
            items = [{"id": f"device-{i:07}", "importMode": "create", "tags": {"site": i % 100}} for i in range(at, min(at + BULK, devices))]
            status, body = hub.api(connection, "POST", "/devices", json.dumps(items))
            if status != 200:
                faults.append(body)
                return

    threads = [threading.Thread(target=work, args=(i,)) for i in range(clients)]
    begin = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise SystemExit(faults[0])
    return time.monotonic() - begin


def timed(hub, path, times=5):
    """The best of a few, in milliseconds, and the last body."""
    connection, best = hub.connection(), None
    hub.api(connection, "GET", "/health")
    for _ in range(times):
        begin = time.monotonic()
        status, body = hub.api(connection, "GET", path)
        took = time.monotonic() - begin
        assert status == 200, body
        best = took if best is None else min(best, took)
    return best * 1000, body


def mqtt_connect(hub, device):
    """From the TCP connection to CONNACK, in milliseconds."""
    _, body = hub.api(hub.connection(), "GET", f"/devices/{device}")
    key = json.loads(body)["authentication"]["symmetricKey"]["primaryKey"]
    text = lambda value: struct.pack(">H", len(value)) + value.encode()
    payload = text(device) + text(f"localhost/{device}/?api-version=2021-04-12") + text(sas(f"localhost/devices/{device}", key))
    rest = text("MQTT") + bytes([4, 0xC2, 0, 60]) + payload
    length, header = len(rest), b""
    while True:
        length, digit = divmod(length, 128)
        header += bytes([digit | (0x80 if length else 0)])
        if not length:
            break
    begin = time.monotonic()
    with hub.context.wrap_socket(socket.create_connection((hub.mqtts[0], int(hub.mqtts[1]))), server_hostname="localhost") as connection:
        connection.sendall(b"\x10" + header + rest)
        answer = connection.recv(4)
    assert answer[:1] == b"\x20" and answer[3] == 0, answer
    return (time.monotonic() - begin) * 1000


def job(hub, body):
    connection = hub.connection()
    begin = time.monotonic()
    status, answer = hub.api(connection, "POST", "/jobs/create", json.dumps(body))
    assert status == 200, answer
    path, peak = "/jobs/" + json.loads(answer)["jobId"], hub.memory_mb()
    while True:
        _, answer = hub.api(connection, "GET", path)
        peak = max(peak, hub.memory_mb())
        if json.loads(answer)["status"] not in ("enqueued", "running"):
            assert json.loads(answer)["status"] == "completed", answer
            return time.monotonic() - begin, peak
        time.sleep(0.1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--devices", type=int, default=1_000_000)
    parser.add_argument("--clients", type=int, default=4)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="nearhub-registry-") as folder:
        hub = Hub(arguments.binary, folder)
        hub.start()
        figure("memory, empty hub", hub.memory_mb(), "MB")
        took = create(hub, arguments.devices, arguments.clients)
        figure("devices", arguments.devices, "")
        figure("created by bulk of 100", arguments.devices / took, "devices/s")
        figure("memory behind it", hub.memory_mb(), "MB")
        figure("file", hub.file_mb(), "MB")
        figure("file, per device", hub.file_mb() * 1024 * 1024 / arguments.devices, "bytes")
        figure("list of 1000", timed(hub, "/devices?top=1000")[0], "ms")
        took, body = timed(hub, "/statistics/devices")
        assert json.loads(body)["totalDeviceCount"] == arguments.devices
        figure("statistics", took, "ms")
        middle = f"device-{arguments.devices // 2:07}"
        figure("connect of one device, TLS included", mqtt_connect(hub, middle), "ms")
        took, peak = job(hub, {"type": "export", "outputBlobContainerUri": "file:///bench"})
        figure("export", arguments.devices / took, "devices/s")
        figure("memory, export, peak", peak, "MB")
        took, peak = job(hub, {"type": "import", "inputBlobContainerUri": "file:///bench", "outputBlobContainerUri": "file:///bench"})
        figure("import of what is there", arguments.devices / took, "devices/s")
        figure("memory, import, peak", peak, "MB")
        hub.stop()
        figure("start with that file", hub.start() * 1000, "ms")
        figure("memory after the start", hub.memory_mb(), "MB")
        figure("connect of one device, not in memory", mqtt_connect(hub, middle), "ms")
        hub.stop()


if __name__ == "__main__":
    main()
