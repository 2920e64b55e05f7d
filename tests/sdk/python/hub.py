"""What the tests share: the hub that with_hub.py started, its service API, and waiting with a deadline."""
import base64
import hashlib
import hmac
import http.client
import itertools
import json
import os
import queue
import ssl
import time
import urllib.parse

READY = json.loads(os.environ["NEARHUB_READY"])
HOST = os.environ["NEARHUB_HOST"]
with open(READY["caFile"], encoding="ascii") as file:
    CA = file.read()
PATIENCE = 30
_numbers = itertools.count(1)


def fresh_id(prefix="py"):
    return f"{prefix}-{os.getpid()}-{next(_numbers)}"


def owner_token():
    parts = dict(part.split("=", 1) for part in READY["serviceConnectionString"].split(";"))
    resource = urllib.parse.quote(HOST, safe="")
    expiry = int(time.time()) + 3600
    mac = hmac.new(base64.b64decode(parts["SharedAccessKey"]), f"{resource}\n{expiry}".encode(), hashlib.sha256).digest()
    signature = urllib.parse.quote(base64.b64encode(mac), safe="")
    return f"SharedAccessSignature sr={resource}&sig={signature}&se={expiry}&skn={parts['SharedAccessKeyName']}"


def api_with_headers(method, path, body=None, headers=None):
    """Status, headers and JSON (or text) of a service request."""
    separator = "&" if "?" in path else "?"
    connection = http.client.HTTPSConnection(HOST, context=ssl.create_default_context(cadata=CA), timeout=PATIENCE)
    try:
        connection.request(method, f"{path}{separator}api-version=2021-04-12",
                           body if body is None or isinstance(body, bytes) else json.dumps(body),
                           {"Authorization": owner_token(), "Content-Type": "application/json", **(headers or {})})
        response = connection.getresponse()
        status, told, text = response.status, response.headers, response.read().decode()
    finally:
        connection.close()
    try:
        return status, told, json.loads(text)
    except json.JSONDecodeError:
        return status, told, text


def api(method, path, body=None, headers=None):
    status, _, answer = api_with_headers(method, path, body, headers)
    return status, answer


def create_device(device_id=None):
    device_id = device_id or fresh_id()
    status, identity = api("PUT", f"/devices/{device_id}", {"deviceId": device_id})
    assert status == 200, identity
    return device_id, identity["authentication"]["symmetricKey"]["primaryKey"]


def create_module(device_id, module_id=None):
    module_id = module_id or fresh_id("mod")
    status, identity = api("PUT", f"/devices/{device_id}/modules/{module_id}", {"deviceId": device_id, "moduleId": module_id})
    assert status == 200, identity
    return module_id, identity["authentication"]["symmetricKey"]["primaryKey"]


def events_of(device_id):
    _, text = api("GET", f"/_nearhub/events?since=start&follow=false&device={device_id}")
    return [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: ")]


class Inbox:
    """Collects what a handler gets; take() waits for the next one."""

    def __init__(self):
        self._queue = queue.Queue()

    def __call__(self, item):
        self._queue.put(item)

    def take(self):
        return self._queue.get(timeout=PATIENCE)


def wait_until(condition, what):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"not within {PATIENCE} s: {what}"
