"""The service SDK for Python (azure-iot-hub): queries with paging."""
import unittest

from azure.iot.hub import IoTHubRegistryManager
from azure.iot.hub.models import QuerySpecification, Twin
from msrest.exceptions import HttpOperationError

from hub import READY, create_device, create_module, fresh_id


class QueryTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.registry = IoTHubRegistryManager.from_connection_string(READY["serviceConnectionString"])

    def create_fleet(self, count):
        prefix = fresh_id("pyfleet")
        ids = [create_device(f"{prefix}-{i}")[0] for i in range(count)]
        for floor, device_id in enumerate(ids):
            self.registry.update_twin(device_id, Twin(tags={"floor": floor, "fleet": prefix}), "*")
        return prefix, ids

    def pages(self, text, size=None):
        pages, token = [], None
        while True:
            answer = self.registry.query_iot_hub(QuerySpecification(query=text), token, size)
            pages.append(answer.items)
            token = answer.continuation_token
            if not token:
                return pages
            self.assertLess(len(pages), 100, "the query does not end")

    def test_twins_come_as_twins_page_by_page(self):
        prefix, ids = self.create_fleet(5)
        pages = self.pages(f"SELECT * FROM devices WHERE STARTSWITH(deviceId, '{prefix}')", 2)
        self.assertEqual([len(page) for page in pages], [2, 2, 1])
        twins = [twin for page in pages for twin in page]
        self.assertIsInstance(twins[0], Twin)
        self.assertEqual([twin.device_id for twin in twins], ids)
        self.assertEqual([twin.tags["floor"] for twin in twins], list(range(5)))
        self.assertEqual(twins[0].connection_state, "Disconnected")

    def test_conditions_on_tags(self):
        prefix, ids = self.create_fleet(3)
        [page] = self.pages(f"SELECT * FROM devices WHERE tags.fleet = '{prefix}' AND tags.floor > 0 AND NOT tags.floor = 2")
        self.assertEqual([twin.device_id for twin in page], ids[1:2])

    def test_modules(self):
        device_id, _ = create_device()
        module_id, _ = create_module(device_id)
        [page] = self.pages(f"SELECT * FROM devices.modules WHERE deviceId = '{device_id}'")
        self.assertEqual([(twin.device_id, twin.module_id) for twin in page], [(device_id, module_id)])

    def test_nothing_is_an_empty_page(self):
        self.assertEqual(self.pages(f"SELECT * FROM devices WHERE deviceId = '{fresh_id('none')}'"), [[]])

    def test_a_wrong_query_is_a_bad_request(self):
        with self.assertRaises(HttpOperationError) as raised:
            self.pages("SELECT * FROM devices WHERE deviceId LIKE 'x'")
        self.assertEqual(raised.exception.response.status_code, 400)


if __name__ == "__main__":
    unittest.main()
