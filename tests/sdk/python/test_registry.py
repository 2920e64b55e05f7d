import unittest

from azure.iot.hub import IoTHubRegistryManager
from azure.iot.hub.models import CloudToDeviceMethod, ExportImportDevice, Twin, TwinProperties
from msrest.exceptions import HttpOperationError

import hub

PRIMARY = "cHJpbWFyeSBrZXkgb2YgYSBkZXZpY2U="
SECONDARY = "c2Vjb25kYXJ5IGtleSBvZiBhIGRldmljZQ=="
THUMBPRINT = "00112233445566778899AABBCCDDEEFF00112233"
OTHER_THUMBPRINT = "FF112233445566778899AABBCCDDEEFF00112233"


class Registry(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.manager = IoTHubRegistryManager.from_connection_string(hub.READY["serviceConnectionString"])

    def assert_status(self, status, call, *arguments):
        with self.assertRaises(HttpOperationError) as raised:
            call(*arguments)
        self.assertEqual(raised.exception.response.status_code, status)

    def test_a_device_with_keys_is_created_updated_and_deleted(self):
        device_id = hub.fresh_id()
        made = self.manager.create_device_with_sas(device_id, PRIMARY, SECONDARY, "enabled", status_reason="new")
        self.assertEqual(made.authentication.symmetric_key.primary_key, PRIMARY)
        self.assertEqual((made.status, made.status_reason, made.connection_state), ("enabled", "new", "Disconnected"))
        self.assert_status(409, self.manager.create_device_with_sas, device_id, PRIMARY, SECONDARY, "enabled")
        updated = self.manager.update_device_with_sas(device_id, made.etag, SECONDARY, PRIMARY, "disabled")
        self.assertEqual(updated.authentication.symmetric_key.primary_key, SECONDARY)
        self.assertIsNone(updated.status_reason)
        self.assert_status(412, self.manager.update_device_with_sas, device_id, made.etag, PRIMARY, SECONDARY, "enabled")
        self.assertEqual(self.manager.get_device(device_id).etag, updated.etag)
        self.assert_status(412, self.manager.delete_device, device_id, made.etag)
        self.manager.delete_device(device_id)
        self.assert_status(404, self.manager.get_device, device_id)

    def test_devices_with_certificates(self):
        device_id = hub.fresh_id()
        made = self.manager.create_device_with_x509(device_id, THUMBPRINT, OTHER_THUMBPRINT, "enabled")
        self.assertEqual(made.authentication.type, "selfSigned")
        self.assertEqual(made.authentication.x509_thumbprint.secondary_thumbprint, OTHER_THUMBPRINT)
        self.assertIsNone(made.authentication.symmetric_key.primary_key)
        updated = self.manager.update_device_with_x509(device_id, made.etag, OTHER_THUMBPRINT, THUMBPRINT, "enabled")
        self.assertEqual(updated.authentication.x509_thumbprint.primary_thumbprint, OTHER_THUMBPRINT)
        authority = self.manager.update_device_with_certificate_authority(device_id, updated.etag, "disabled")
        self.assertEqual(authority.authentication.type, "certificateAuthority")
        other = self.manager.create_device_with_certificate_authority(hub.fresh_id(), "enabled")
        self.assertEqual(other.authentication.type, "certificateAuthority")

    def test_edge_devices_and_their_children(self):
        edge = self.manager.create_device_with_sas(hub.fresh_id("edge"), "", "", "enabled", iot_edge=True)
        self.assertTrue(edge.capabilities.iot_edge)
        leaf = self.manager.create_device_with_sas(hub.fresh_id(), "", "", "enabled", device_scope=edge.device_scope)
        self.assertEqual(leaf.parent_scopes, [edge.device_scope])
        below = self.manager.create_device_with_sas(hub.fresh_id("edge"), "", "", "enabled", iot_edge=True, parent_scopes=edge.device_scope)
        self.assertEqual(below.parent_scopes, [edge.device_scope])
        self.assertEqual(sorted(module.module_id for module in self.manager.get_modules(edge.device_id)), ["$edgeAgent", "$edgeHub"])

    def test_modules_of_every_authentication(self):
        device_id, _ = hub.create_device()
        made = self.manager.create_module_with_sas(device_id, "m1", "me", PRIMARY, SECONDARY)
        self.assertEqual((made.module_id, made.managed_by), ("m1", "me"))
        updated = self.manager.update_module_with_sas(device_id, "m1", "you", made.etag, SECONDARY, PRIMARY)
        self.assertEqual(updated.managed_by, "you")
        x509 = self.manager.create_module_with_x509(device_id, "m2", "me", THUMBPRINT, OTHER_THUMBPRINT)
        self.manager.update_module_with_x509(device_id, "m2", "me", x509.etag, OTHER_THUMBPRINT, THUMBPRINT)
        authority = self.manager.create_module_with_certificate_authority(device_id, "m3", "me")
        self.manager.update_module_with_certificate_authority(device_id, "m3", "you", authority.etag)
        self.assertEqual(self.manager.get_module(device_id, "m3").authentication.type, "certificateAuthority")
        self.assertEqual(sorted(module.module_id for module in self.manager.get_modules(device_id)), ["m1", "m2", "m3"])
        self.manager.delete_module(device_id, "m1")
        self.assert_status(404, self.manager.get_module, device_id, "m1")

    def test_lists_statistics_and_bulk(self):
        ids = [hub.fresh_id("bulk") for _ in range(3)]
        result = self.manager.bulk_create_or_update_devices([ExportImportDevice(id=each, import_mode="create", status="enabled") for each in ids])
        self.assertTrue(result.is_successful)
        listed = {device.device_id for device in self.manager.get_devices()}
        self.assertLessEqual(set(ids), listed)
        self.assertEqual(len(self.manager.get_devices(1)), 1)
        statistics = self.manager.get_device_registry_statistics()
        self.assertGreaterEqual(statistics.total_device_count, 3)
        self.assertGreaterEqual(self.manager.get_service_statistics().connected_device_count, 0)
        again = self.manager.bulk_create_or_update_devices([ExportImportDevice(id=ids[0], import_mode="create", status="enabled")])
        self.assertFalse(again.is_successful)
        self.assertEqual(again.errors[0].error_code, "DeviceAlreadyExists")

    def test_twins_of_devices_and_modules(self):
        device_id, _ = hub.create_device()
        hub.create_module(device_id, "m1")
        twin = self.manager.get_twin(device_id)
        patched = self.manager.update_twin(device_id, Twin(tags={"room": "lab"}, properties=TwinProperties(desired={"a": 1})), twin.etag)
        self.assertEqual((patched.tags, patched.properties.desired["a"]), ({"room": "lab"}, 1))
        self.assert_status(412, self.manager.update_twin, device_id, Twin(tags={}), twin.etag)
        replaced = self.manager.replace_twin(device_id, Twin(tags={"floor": 2}))
        self.assertEqual(replaced.tags, {"floor": 2})
        self.manager.update_module_twin(device_id, "m1", Twin(properties=TwinProperties(desired={"b": 2})))
        self.assertEqual(self.manager.get_module_twin(device_id, "m1").properties.desired["b"], 2)
        self.manager.replace_module_twin(device_id, "m1", Twin(tags={"x": 1}))
        self.assertNotIn("b", self.manager.get_module_twin(device_id, "m1").properties.desired)

    def test_a_method_of_a_device_that_is_not_there(self):
        device_id, _ = hub.create_device()
        hub.create_module(device_id, "m1")
        call = CloudToDeviceMethod(method_name="reboot", payload={})
        self.assert_status(404, self.manager.invoke_device_method, device_id, call)
        self.assert_status(404, self.manager.invoke_device_module_method, device_id, "m1", call)
