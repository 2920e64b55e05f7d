"""The service SDK for Python (azure-iot-hub): scheduled jobs."""
import datetime
import unittest

from azure.iot.hub import IoTHubJobManager, IoTHubRegistryManager
from azure.iot.hub.models import CloudToDeviceMethod, JobRequest, Twin, TwinProperties
from msrest.exceptions import HttpOperationError

from hub import READY, api, create_device, fresh_id, wait_until


class JobTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.jobs = IoTHubJobManager.from_connection_string(READY["serviceConnectionString"])
        cls.registry = IoTHubRegistryManager.from_connection_string(READY["serviceConnectionString"])

    def ended(self, job_id):
        wait_until(lambda: self.jobs.get_scheduled_job(job_id).status in ("completed", "failed", "cancelled"), f"the end of job {job_id}")
        return self.jobs.get_scheduled_job(job_id)

    def test_a_twin_update_with_its_statistics(self):
        device_id, _ = create_device()
        job_id = fresh_id("job")
        made = self.jobs.create_scheduled_job(job_id, JobRequest(
            job_id=job_id, type="scheduleUpdateTwin", query_condition=f"deviceId = '{device_id}'", max_execution_time_in_seconds=60,
            start_time=datetime.datetime.now(datetime.timezone.utc),
            update_twin=Twin(etag="*", tags={"room": "lab"}, properties=TwinProperties(desired={"interval": 30}))))
        self.assertEqual(made.status, "queued")
        end = self.ended(job_id)
        self.assertEqual(end.status, "completed")
        self.assertEqual(end.device_job_statistics.device_count, 1)
        self.assertEqual(end.device_job_statistics.succeeded_count, 1)
        self.assertGreaterEqual(end.end_time, end.created_time)
        twin = self.registry.get_twin(device_id)
        self.assertEqual(twin.tags["room"], "lab")
        self.assertEqual(twin.properties.desired["interval"], 30)

    def test_a_method_on_a_device_that_is_offline(self):
        device_id, _ = create_device()
        job_id = fresh_id("job")
        self.jobs.create_scheduled_job(job_id, JobRequest(
            type="scheduleDeviceMethod", query_condition=f"deviceId = '{device_id}'",
            cloud_to_device_method=CloudToDeviceMethod(method_name="reboot", payload={"delay": 5}, response_timeout_in_seconds=10, connect_timeout_in_seconds=0)))
        end = self.ended(job_id)
        self.assertEqual(end.status, "completed")
        self.assertEqual(end.device_job_statistics.failed_count, 1)
        self.assertEqual(end.cloud_to_device_method.payload, {"delay": 5})
        status, [row] = api("POST", "/devices/query", {"query": f"SELECT * FROM devices.jobs WHERE devices.jobs.jobId = '{job_id}'"})
        self.assertEqual(status, 200)
        self.assertEqual(row["error"]["code"], "DeviceNotOnline")

    def test_one_that_is_scheduled_is_cancelled(self):
        job_id = fresh_id("job")
        later = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
        self.jobs.create_scheduled_job(job_id, JobRequest(
            type="scheduleUpdateTwin", query_condition="*", start_time=later, update_twin=Twin(etag="*", tags={"never": True})))
        self.assertEqual(self.jobs.get_scheduled_job(job_id).status, "scheduled")
        self.assertEqual(self.jobs.cancel_scheduled_job(job_id).status, "cancelled")
        with self.assertRaises(HttpOperationError) as raised:
            self.jobs.cancel_scheduled_job(job_id)
        self.assertEqual(raised.exception.response.status_code, 405)

    def test_unknown_jobs_and_wrong_requests(self):
        self.assertEqual(self.jobs.get_scheduled_job(fresh_id("nobody")).status, "unknown")
        with self.assertRaises(HttpOperationError) as raised:
            self.jobs.create_scheduled_job(fresh_id("job"), JobRequest(type="scheduleDeviceMethod", query_condition="*"))
        self.assertEqual(raised.exception.response.status_code, 400)


if __name__ == "__main__":
    unittest.main()
