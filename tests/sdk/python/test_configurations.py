"""The service SDK for Python (azure-iot-hub): configurations."""
import unittest

from azure.iot.hub import IoTHubConfigurationManager
from azure.iot.hub.models import Configuration, ConfigurationContent, ConfigurationMetrics, ConfigurationQueriesTestInput
from msrest.exceptions import HttpOperationError

from hub import READY, api, create_device, fresh_id


class ConfigurationTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.configurations = IoTHubConfigurationManager.from_connection_string(READY["serviceConnectionString"])

    def refused(self, call, *arguments):
        with self.assertRaises(HttpOperationError) as raised:
            call(*arguments)
        return raised.exception.response.status_code

    def chiller(self, fleet):
        return Configuration(
            id=fresh_id("chiller"),
            content=ConfigurationContent(device_content={"properties.desired.chiller": {"temp": 66}}),
            target_condition=f"tags.fleet = '{fleet}'",
            priority=10,
            labels={"by": "python"},
            metrics=ConfigurationMetrics(queries={"hot": "SELECT deviceId FROM devices WHERE properties.reported.temp > 70"}),
        )

    def test_created_read_listed_updated_and_deleted(self):
        wanted = self.chiller(fresh_id("fleet"))
        created = self.configurations.create_configuration(wanted)
        self.assertEqual(created.id, wanted.id)
        self.assertEqual(created.content.device_content, wanted.content.device_content)
        self.assertEqual(created.labels, {"by": "python"})
        read = self.configurations.get_configuration(wanted.id)
        self.assertEqual(read.created_time_utc, created.created_time_utc)
        self.assertEqual(read.system_metrics.results, {"targetedCount": 0, "appliedCount": 0})
        self.assertIn(wanted.id, [each.id for each in self.configurations.get_configurations()])
        self.assertIn(wanted.id, [each.id for each in self.configurations.get_configurations(max_count=1)])  # the number does not count

        read.priority = 20
        # An etag counts in quotes alone; the SDK sends it as it is given.
        self.assertEqual(self.refused(self.configurations.update_configuration, read, read.etag), 409)
        updated = self.configurations.update_configuration(read, f'"{read.etag}"')
        self.assertEqual(updated.priority, 20)
        self.assertEqual(self.refused(self.configurations.update_configuration, read, f'"{read.etag}"'), 412)
        self.assertEqual(self.configurations.update_configuration(read, "*").priority, 20)
        self.assertEqual(self.refused(self.configurations.create_configuration, wanted), 409)
        self.configurations.delete_configuration(wanted.id)
        self.assertEqual(self.refused(self.configurations.get_configuration, wanted.id), 404)

    def test_applied_to_the_devices_that_match(self):
        fleet = fresh_id("fleet")
        device_id, _ = create_device()
        api("PATCH", f"/twins/{device_id}", {"tags": {"fleet": fleet}})
        wanted = self.chiller(fleet)
        self.configurations.create_configuration(wanted)
        self.addCleanup(self.configurations.delete_configuration, wanted.id)
        _, twin = api("GET", f"/twins/{device_id}")
        self.assertEqual(twin["properties"]["desired"]["chiller"], {"temp": 66})
        self.assertEqual(twin["configurations"], {wanted.id: {"status": "Applied"}})
        metrics = self.configurations.get_configuration(wanted.id)
        self.assertEqual(metrics.system_metrics.results, {"targetedCount": 1, "appliedCount": 1})
        self.assertEqual(metrics.metrics.results, {"hot": 0})

    def test_queries_are_tested(self):
        sound = self.configurations.test_configuration_queries(
            ConfigurationQueriesTestInput(target_condition="tags.a = 1", custom_metric_queries={"m": "SELECT deviceId FROM devices"}))
        self.assertIsNone(sound.target_condition_error)
        self.assertEqual(sound.custom_metric_query_errors, {})
        wrong = self.configurations.test_configuration_queries(
            ConfigurationQueriesTestInput(target_condition="tags.a =", custom_metric_queries={"m": "SELECT"}))
        self.assertIn("column 9", wrong.target_condition_error)
        self.assertEqual(list(wrong.custom_metric_query_errors), ["m"])

    def test_content_is_applied_to_an_edge_device(self):
        device_id = fresh_id("edge")
        status, _ = api("PUT", f"/devices/{device_id}", {"deviceId": device_id, "capabilities": {"iotEdge": True}})
        self.assertEqual(status, 200)
        content = ConfigurationContent(modules_content={"$edgeAgent": {"properties.desired": {"modules": {"sensor": {"version": "1.0"}}}}})
        self.configurations.apply_configuration_on_edge_device(device_id, content)
        _, twin = api("GET", f"/twins/{device_id}/modules/$edgeAgent")
        self.assertEqual(twin["properties"]["desired"]["modules"], {"sensor": {"version": "1.0"}})
        leaf, _ = create_device()
        self.assertEqual(self.refused(self.configurations.apply_configuration_on_edge_device, leaf, content), 400)

    def test_a_deployment_reaches_edge_devices(self):
        device_id, fleet = fresh_id("edge"), fresh_id("fleet")
        api("PUT", f"/devices/{device_id}", {"deviceId": device_id, "capabilities": {"iotEdge": True}})
        api("PATCH", f"/twins/{device_id}", {"tags": {"fleet": fleet}})
        wanted = Configuration(id=fresh_id("deployment"), target_condition=f"tags.fleet = '{fleet}'",
                               content=ConfigurationContent(modules_content={"$edgeAgent": {"properties.desired": {"modules": {}}}}))
        self.configurations.create_configuration(wanted)
        self.addCleanup(self.configurations.delete_configuration, wanted.id)
        _, twin = api("GET", f"/twins/{device_id}/modules/$edgeAgent")
        self.assertEqual(twin["configurations"], {wanted.id: {"status": "Applied"}})
        results = self.configurations.get_configuration(wanted.id).system_metrics.results
        self.assertEqual(results, {"targetedCount": 1, "appliedCount": 1, "reportedSuccessfulCount": 0, "reportedFailedCount": 0})


if __name__ == "__main__":
    unittest.main()
