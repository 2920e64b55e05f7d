import unittest

from azure.iot.hub import IoTHubHttpRuntimeManager
from msrest.exceptions import HttpOperationError

import hub


class Feedback(unittest.TestCase):
    """The runtime manager throws the answer's body and headers away, so that they are read beside it."""

    def setUp(self):
        self.manager = IoTHubHttpRuntimeManager.from_connection_string(hub.READY["serviceConnectionString"])

    def make_feedback(self, message_id):
        device_id, _ = hub.create_device()
        status, _ = hub.api("POST", f"/devices/{device_id}/messages/deviceBound", b"x", {"iothub-ack": "full", "iothub-messageid": message_id})
        self.assertEqual(status, 204)
        self.assertEqual(hub.api("DELETE", f"/devices/{device_id}/commands")[0], 200)

    def receive(self):
        status, headers, records = hub.api_with_headers("GET", "/messages/serviceBound/feedback")
        return status, headers.get("ETag"), [record["originalMessageId"] for record in records] if status == 200 else []

    def test_feedback_is_received_abandoned_and_completed(self):
        self.make_feedback("first")
        self.manager.receive_feedback_notification()
        self.assertEqual(self.receive()[0], 204)  # locked by the manager
        self.make_feedback("second")
        _, token, messages = self.receive()
        self.assertEqual(messages, ["second"])
        self.manager.abandon_feedback_notification(token)
        _, token, messages = self.receive()
        self.assertEqual(messages, ["second"])
        self.manager.complete_feedback_notification(token)
        self.assertEqual(self.receive()[0], 204)
        with self.assertRaises(HttpOperationError) as raised:
            self.manager.complete_feedback_notification(token)
        self.assertEqual(raised.exception.response.status_code, 412)


if __name__ == "__main__":
    unittest.main()
