"""IoT Plug and Play end to end: a temperature controller with a thermostat as a component, and the service's digital twin client."""
import unittest

from azure.iot.device import IoTHubDeviceClient, Message, MethodResponse
from azure.iot.hub import DigitalTwinClient
from msrest.exceptions import HttpOperationError

import hub

MODEL = "dtmi:com:example:TemperatureController;2"


class DigitalTwins(unittest.TestCase):
    def setUp(self):
        self.service = DigitalTwinClient.from_connection_string(hub.READY["serviceConnectionString"])
        self.device_id, key = hub.create_device()
        self.connection_string = f"HostName={hub.HOST};DeviceId={self.device_id};SharedAccessKey={key}"

    def connect(self):
        client = IoTHubDeviceClient.create_from_connection_string(self.connection_string, server_verification_cert=hub.CA, product_info=MODEL)
        self.addCleanup(client.shutdown)
        client.connect()
        return client

    def assert_refused(self, status, code, call, *arguments):
        with self.assertRaises(HttpOperationError) as raised:
            call(*arguments)
        self.assertEqual((raised.exception.response.status_code, raised.exception.response.headers["iothub-errorcode"]), (status, code))

    def test_a_writable_property_of_a_component_is_set_and_acknowledged(self):
        client = self.connect()
        client.patch_twin_reported_properties({"serialNumber": "alpha", "thermostat1": {"__t": "c", "maxTempSinceLastReboot": 38.7}})
        patches = hub.Inbox()
        client.on_twin_desired_properties_patch_received = patches
        client.get_twin()
        self.service.update_digital_twin(self.device_id, [{"op": "add", "path": "/thermostat1/targetTemperature", "value": 21.5}])
        patch = patches.take()
        self.assertEqual(patch, {"thermostat1": {"__t": "c", "targetTemperature": 21.5}, "$version": 2})
        client.patch_twin_reported_properties(
            {"thermostat1": {"__t": "c", "targetTemperature": {"value": 21.5, "ac": 200, "av": patch["$version"], "ad": "done"}}})
        twin = self.service.get_digital_twin(self.device_id)
        self.assertEqual((twin["$dtId"], twin["$metadata"]["$model"], twin["serialNumber"]), (self.device_id, MODEL, "alpha"))
        thermostat = twin["thermostat1"]
        self.assertEqual((thermostat["maxTempSinceLastReboot"], thermostat["targetTemperature"]), (38.7, 21.5))
        known = thermostat["$metadata"]["targetTemperature"]
        del known["lastUpdateTime"]
        self.assertEqual(known, {"desiredValue": 21.5, "desiredVersion": 2, "ackVersion": 2, "ackCode": 200, "ackDescription": "done"})

    def test_a_patch_heeds_the_etag_and_refuses_what_is_not_there(self):
        add = [{"op": "add", "path": "/interval", "value": 5}]
        self.service.update_digital_twin(self.device_id, add, '"AAAAAAAAAAE="')
        self.assert_refused(412, "PreconditionFailed", self.service.update_digital_twin, self.device_id, add, '"AAAAAAAAAAE="')
        self.assert_refused(400, "InvalidDigitalTwinPatchPath", self.service.update_digital_twin, self.device_id, [{"op": "remove", "path": "/other"}])
        self.assert_refused(404, "DeviceNotFound", self.service.get_digital_twin, "no-such-device")
        self.service.update_digital_twin(self.device_id, [{"op": "remove", "path": "/interval"}])
        self.assertEqual(self.service.get_digital_twin(self.device_id)["$metadata"], {"$model": ""})

    def test_commands_of_the_device_and_of_a_component_are_answered(self):
        client = self.connect()
        requests = hub.Inbox()

        def answer(request):
            requests(request.name)
            client.send_method_response(MethodResponse.create_from_method_request(request, 200, {"got": request.payload}))

        client.on_method_request_received = answer
        self.assertEqual(self.service.invoke_command(self.device_id, "reboot", 5, 20, 30), {"got": 5})
        self.assertEqual(requests.take(), "reboot")
        self.assertEqual(self.service.invoke_component_command(self.device_id, "thermostat1", "getMaxMinReport", "2026-01-01T00:00:00Z", 20, 30),
                         {"got": "2026-01-01T00:00:00Z"})
        self.assertEqual(requests.take(), "thermostat1*getMaxMinReport")

    def test_a_command_of_a_device_that_is_offline(self):
        self.assert_refused(404, "DeviceNotOnline", self.service.invoke_command, self.device_id, "reboot", 5)

    def test_telemetry_of_a_component_names_it_and_the_model(self):
        client = self.connect()
        message = Message('{"temperature": 21.5}')
        message.content_type = "application/json"
        message.content_encoding = "utf-8"
        message.custom_properties["$.sub"] = "thermostat1"
        client.send_message(message)
        [event] = hub.events_of(self.device_id)
        self.assertEqual(event["properties"], {})
        self.assertEqual((event["annotations"]["dt-subject"], event["annotations"]["dt-dataschema"]), ("thermostat1", MODEL))


if __name__ == "__main__":
    unittest.main()
