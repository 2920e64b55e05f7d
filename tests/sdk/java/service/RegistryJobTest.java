package service;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.microsoft.azure.sdk.iot.service.exceptions.IotHubBadFormatException;
import com.microsoft.azure.sdk.iot.service.exceptions.IotHubNotFoundException;
import com.microsoft.azure.sdk.iot.service.registry.Device;
import com.microsoft.azure.sdk.iot.service.registry.RegistryClient;
import com.microsoft.azure.sdk.iot.service.registry.RegistryJob;
import com.microsoft.azure.sdk.iot.service.registry.RegistryJob.JobStatus;
import com.microsoft.azure.sdk.iot.service.registry.RegistryJob.JobType;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;
import support.Hub;

// Import and export against a container in the hub's own folder. The hub runs one such job at a time, so these tests do, too; and no other test beside
// them, because an import writes the devices of all of them anew and moves their etags.
@Isolated
class RegistryJobTest {
  private final RegistryClient registry = new RegistryClient(Hub.OWNER);

  private RegistryJob ended(RegistryJob job) throws Exception {
    Hub.waitUntil("job " + job.getJobId() + " has ended", () -> {
      JobStatus status = registry.getJob(job.getJobId()).getStatus();
      return status != JobStatus.ENQUEUED && status != JobStatus.RUNNING;
    });
    return registry.getJob(job.getJobId());
  }

  @Test
  @DisplayName("what was exported is imported again as it was")
  void exportAndImport() throws Exception {
    Device device = Hub.createDevice();
    Hub.createModule(device);
    String container = "file:///" + Hub.freshId("java");
    RegistryJob exporting = registry.exportDevices(container, false);
    assertEquals(JobType.EXPORT, exporting.getType());
    RegistryJob exported = ended(exporting);
    assertEquals(JobStatus.COMPLETED, exported.getStatus());
    assertEquals(100, exported.getProgress());
    assertNull(exported.getOutputBlobContainerUri(), "it may hold a secret");
    assertNotNull(exported.getStartTimeUtc());
    assertTrue(!exported.getEndTimeUtc().before(exported.getStartTimeUtc()));
    assertNull(exported.getFailureReason());

    registry.removeDevice(device.getDeviceId());
    RegistryJob imported = ended(registry.importDevices(container, container));
    assertEquals(JobStatus.COMPLETED, imported.getStatus());
    assertEquals(JobType.IMPORT, imported.getType());
    Device again = registry.getDevice(device.getDeviceId());
    assertEquals(device.getPrimaryKey(), again.getPrimaryKey());
    assertEquals(1, registry.getModulesOnDevice(device.getDeviceId()).size());
  }

  @Test
  @DisplayName("jobs are made from parameters, too")
  void parameters() throws Exception {
    RegistryJob job = registry.exportDevices(RegistryJob.createForExportJob("file:///" + Hub.freshId("java"), true));
    assertTrue(job.getExcludeKeysInExport());
    assertEquals(JobStatus.COMPLETED, ended(job).getStatus());
  }

  @Test
  @DisplayName("an unknown job is not found, a container that is none a format error")
  void errors() {
    assertThrows(IotHubNotFoundException.class, () -> registry.getJob("nobody"));
    assertThrows(IotHubBadFormatException.class, () -> registry.exportDevices("no container", false));
  }
}
