import threading
import unittest

from azure.iot.device import IoTHubDeviceClient, IoTHubModuleClient, Message, MethodResponse
from azure.iot.device.exceptions import ClientError, CredentialError

import hub


def connect(test, connection_string, client_class=IoTHubDeviceClient):
    client = client_class.create_from_connection_string(connection_string, server_verification_cert=hub.CA)
    test.addCleanup(client.shutdown)
    client.connect()
    return client


class Device(unittest.TestCase):
    def setUp(self):
        self.device_id, self.key = hub.create_device()
        self.connection_string = f"HostName={hub.HOST};DeviceId={self.device_id};SharedAccessKey={self.key}"

    def test_telemetry_reaches_the_event_stream_with_its_properties(self):
        client = connect(self, self.connection_string)
        message = Message('{"temperature": 21.5}')
        message.message_id = "m-1"
        message.correlation_id = "c-1"
        message.content_type = "application/json"
        message.content_encoding = "utf-8"
        message.custom_properties["a b"] = "x&y=z"
        client.send_message(message)
        [event] = hub.events_of(self.device_id)
        self.assertEqual(event["body"], {"temperature": 21.5})
        self.assertEqual(event["properties"], {"a b": "x&y=z"})
        self.assertEqual(event["systemProperties"]["message-id"], "m-1")
        self.assertEqual(event["systemProperties"]["content-type"], "application/json")

    def test_twin_is_read_and_a_reported_patch_is_seen_by_the_service(self):
        client = connect(self, self.connection_string)
        twin = client.get_twin()
        self.assertEqual(twin, {"desired": {"$version": 1}, "reported": {"$version": 1}})
        client.patch_twin_reported_properties({"firmware": {"version": "1.2"}, "gone": None})
        _, service_twin = hub.api("GET", f"/twins/{self.device_id}")
        self.assertEqual(service_twin["properties"]["reported"]["firmware"]["version"], "1.2")
        self.assertEqual(service_twin["properties"]["reported"]["$version"], 2)

    def test_a_reported_patch_that_breaks_a_limit_is_an_error(self):
        client = connect(self, self.connection_string)
        with self.assertRaises(ClientError):
            client.patch_twin_reported_properties({"a.b": 1})

    def test_a_desired_patch_reaches_the_device(self):
        client = connect(self, self.connection_string)
        patches = hub.Inbox()
        client.on_twin_desired_properties_patch_received = patches
        client.get_twin()
        status, _ = hub.api("PATCH", f"/twins/{self.device_id}", {"properties": {"desired": {"interval": 30, "old": None}}})
        self.assertEqual(status, 200)
        self.assertEqual(patches.take(), {"interval": 30, "old": None, "$version": 2})

    def test_a_method_is_answered_and_its_payload_arrives(self):
        client = connect(self, self.connection_string)
        requests = hub.Inbox()

        def answer(request):
            requests(request)
            client.send_method_response(MethodResponse.create_from_method_request(request, 202, {"got": request.payload}))

        client.on_method_request_received = answer
        for payload in (None, "", "text", 7, {"nested": [1, 2]}):
            status, result = hub.api("POST", f"/twins/{self.device_id}/methods",
                                     {"methodName": "reboot", "payload": payload, "responseTimeoutInSeconds": 30, "connectTimeoutInSeconds": 20})
            self.assertEqual((status, result), (200, {"status": 202, "payload": {"got": payload}}))
            self.assertEqual(requests.take().name, "reboot")

    def test_a_queued_message_arrives_when_the_device_connects(self):
        status, _ = hub.api("POST", f"/devices/{self.device_id}/messages/deviceBound", b"hello",
                            {"iothub-messageid": "id-1", "iothub-app-color": "dark blue", "iothub-contenttype": "text/plain"})
        self.assertEqual(status, 204)
        messages = hub.Inbox()
        client = IoTHubDeviceClient.create_from_connection_string(self.connection_string, server_verification_cert=hub.CA)
        self.addCleanup(client.shutdown)
        client.on_message_received = messages
        client.connect()
        message = messages.take()
        self.assertEqual(message.data, b"hello")
        self.assertEqual(message.message_id, "id-1")
        self.assertEqual(message.content_type, "text/plain")
        self.assertEqual(message.custom_properties, {"color": "dark blue"})
        hub.wait_until(lambda: hub.api("GET", f"/devices/{self.device_id}")[1]["cloudToDeviceMessageCount"] == 0, "the queue is empty")

    def test_a_second_client_takes_the_connection_over(self):
        first = connect(self, self.connection_string)
        dropped = threading.Event()
        first.on_connection_state_change = lambda: dropped.set() if not first.connected else None
        second = connect(self, self.connection_string)
        self.assertTrue(dropped.wait(hub.PATIENCE))
        first.disconnect()  # stops its attempts to come back
        second.connect()
        second.send_message("still here")

    def test_a_wrong_key_is_a_credential_error(self):
        wrong = f"HostName={hub.HOST};DeviceId={self.device_id};SharedAccessKey=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
        client = IoTHubDeviceClient.create_from_connection_string(wrong, server_verification_cert=hub.CA)
        self.addCleanup(client.shutdown)
        with self.assertRaises(CredentialError):
            client.connect()
        _, refusals = hub.api("GET", f"/_nearhub/refusals?id={self.device_id}")
        self.assertEqual(refusals[0]["check"], "SAS signature")

    def test_the_model_id_stands_on_the_twin(self):
        client = IoTHubDeviceClient.create_from_connection_string(self.connection_string, server_verification_cert=hub.CA,
                                                                  product_info="dtmi:com:example:Thermostat;1")
        self.addCleanup(client.shutdown)
        client.connect()
        self.assertEqual(hub.api("GET", f"/twins/{self.device_id}")[1]["modelId"], "dtmi:com:example:Thermostat;1")


class Module(unittest.TestCase):
    def setUp(self):
        self.device_id, _ = hub.create_device()
        self.module_id, key = hub.create_module(self.device_id)
        self.connection_string = f"HostName={hub.HOST};DeviceId={self.device_id};ModuleId={self.module_id};SharedAccessKey={key}"

    def test_a_module_has_a_twin_methods_and_telemetry_of_its_own(self):
        client = connect(self, self.connection_string, IoTHubModuleClient)
        client.send_message_to_output(Message("alert"), "alerts")
        [event] = hub.events_of(self.device_id)
        self.assertEqual((event["moduleId"], event["systemProperties"]["iothub-outputname"]), (self.module_id, "alerts"))

        client.patch_twin_reported_properties({"state": "ok"})
        _, twin = hub.api("GET", f"/twins/{self.device_id}/modules/{self.module_id}")
        self.assertEqual(twin["properties"]["reported"]["state"], "ok")

        client.on_method_request_received = lambda request: client.send_method_response(
            MethodResponse.create_from_method_request(request, 200, "from the module"))
        _, result = hub.api("POST", f"/twins/{self.device_id}/modules/{self.module_id}/methods",
                            {"methodName": "hello", "payload": None, "responseTimeoutInSeconds": 30, "connectTimeoutInSeconds": 20})
        self.assertEqual(result, {"status": 200, "payload": "from the module"})


if __name__ == "__main__":
    unittest.main()
