package service;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.microsoft.azure.sdk.iot.device.DeviceClient;
import com.microsoft.azure.sdk.iot.device.twin.DirectMethodResponse;
import com.microsoft.azure.sdk.iot.service.exceptions.IotHubBadFormatException;
import com.microsoft.azure.sdk.iot.service.exceptions.IotHubException;
import com.microsoft.azure.sdk.iot.service.exceptions.IotHubNotFoundException;
import com.microsoft.azure.sdk.iot.service.jobs.DirectMethodsJobOptions;
import com.microsoft.azure.sdk.iot.service.jobs.ScheduledJob;
import com.microsoft.azure.sdk.iot.service.jobs.ScheduledJobStatus;
import com.microsoft.azure.sdk.iot.service.jobs.ScheduledJobType;
import com.microsoft.azure.sdk.iot.service.jobs.ScheduledJobsClient;
import com.microsoft.azure.sdk.iot.service.methods.DirectMethodRequestOptions;
import com.microsoft.azure.sdk.iot.service.methods.DirectMethodsClient;
import com.microsoft.azure.sdk.iot.service.query.JobQueryResponse;
import com.microsoft.azure.sdk.iot.service.query.QueryClient;
import com.microsoft.azure.sdk.iot.service.query.QueryPageOptions;
import com.microsoft.azure.sdk.iot.service.query.RawQueryResponse;
import com.microsoft.azure.sdk.iot.service.registry.Device;
import com.microsoft.azure.sdk.iot.service.twin.Twin;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import support.Clients;
import support.Hub;

class ScheduledJobTest {
  @RegisterExtension final Clients clients = new Clients();
  private final ScheduledJobsClient jobs = new ScheduledJobsClient(Hub.OWNER);

  private static String in(Device... devices) {
    List<String> ids = new ArrayList<>();
    for (Device device : devices) ids.add("'" + device.getDeviceId() + "'");
    return "deviceId IN [" + String.join(",", ids) + "]";
  }

  private static Date later() {
    return new Date(System.currentTimeMillis() + 3600_000);
  }

  // With an upper-case letter, as the SDK's own tests have it.
  private static String freshJobId() {
    return Hub.freshId("JobTest");
  }

  private ScheduledJob ended(String id) throws Exception {
    Hub.waitUntil("job " + id + " has ended", () -> {
      ScheduledJobStatus status = jobs.get(id).getJobStatus();
      return status == ScheduledJobStatus.completed || status == ScheduledJobStatus.failed || status == ScheduledJobStatus.cancelled;
    });
    return jobs.get(id);
  }

  private List<ScheduledJob> all(JobQueryResponse response) throws Exception {
    List<ScheduledJob> found = new ArrayList<>();
    while (response.hasNext()) found.add(response.next());
    return found;
  }

  @Test
  @DisplayName("a twin update reaches its devices, and each has a result")
  void update() throws Exception {
    Device one = Hub.createDevice();
    Device two = Hub.createDevice();
    Twin update = new Twin();
    update.getDesiredProperties().put("interval", 30);
    update.getTags().put("room", "lab");
    String id = freshJobId();
    ScheduledJob made = jobs.scheduleUpdateTwin(id, in(one, two), update, new Date(), 60);
    assertEquals(id, made.getJobId());
    assertEquals(ScheduledJobStatus.queued, made.getJobStatus());
    ScheduledJob job = ended(id);
    assertEquals(ScheduledJobStatus.completed, job.getJobStatus());
    assertEquals(ScheduledJobType.scheduleUpdateTwin, job.getJobType());
    assertEquals(2, job.getJobStatistics().getSucceededCount());
    assertEquals(60, job.getMaxExecutionTimeInSeconds());
    assertNotNull(job.getEndTime());
    Twin twin = Hub.TWINS.get(two.getDeviceId());
    assertEquals(Hub.json(30), Hub.json(twin.getDesiredProperties().get("interval")));
    List<ScheduledJob> rows = all(jobs.query("SELECT * FROM devices.jobs WHERE devices.jobs.jobId = '" + id + "' and devices.jobs.jobType = 'scheduleUpdateTwin'"));
    assertEquals(2, rows.size());
    for (ScheduledJob row : rows) assertEquals(ScheduledJobStatus.completed, row.getJobStatus());
  }

  @Test
  @DisplayName("a method's answers are results, and errors too")
  void method() throws Exception {
    Device online = Hub.createDevice();
    Device offline = Hub.createDevice();
    DeviceClient client = clients.open(online);
    client.subscribeToMethods((name, payload, context) -> new DirectMethodResponse(200, name), null);
    // A call that waits for the subscription shows that it is there.
    new DirectMethodsClient(Hub.OWNER).invoke(online.getDeviceId(), "ready",
        DirectMethodRequestOptions.builder().methodConnectTimeoutSeconds(20).methodResponseTimeoutSeconds(20).build());
    String id = freshJobId();
    jobs.scheduleDirectMethod(id, in(online, offline), "reboot", new Date(),
        DirectMethodsJobOptions.builder().payload("now").methodConnectTimeoutSeconds(0).methodResponseTimeoutSeconds(10).maxExecutionTimeSeconds(60).build());
    ScheduledJob job = ended(id);
    assertEquals(ScheduledJobStatus.completed, job.getJobStatus());
    assertEquals(1, job.getJobStatistics().getSucceededCount());
    assertEquals(1, job.getJobStatistics().getFailedCount());
    assertTrue(job.getCloudToDeviceMethod().contains("reboot"));
    // As raw rows: this version of the SDK cannot read one that has an outcome.
    RawQueryResponse rows = new QueryClient(Hub.OWNER).queryRaw("SELECT * FROM devices.jobs WHERE devices.jobs.jobId = '" + id + "'");
    while (rows.hasNext()) {
      JsonObject row = JsonParser.parseString(rows.next()).getAsJsonObject();
      boolean reached = row.get("deviceId").getAsString().equals(online.getDeviceId());
      assertEquals(reached ? "completed" : "failed", row.get("status").getAsString());
      if (reached) {
        assertEquals(Hub.json(Map.of("status", 200, "payload", "reboot")), row.getAsJsonObject("outcome").get("deviceMethodResponse"));
      } else {
        assertEquals("DeviceNotOnline", row.getAsJsonObject("error").get("code").getAsString());
      }
    }
    List<ScheduledJob> failed = all(jobs.query("SELECT * FROM devices.jobs WHERE devices.jobs.jobId = '" + id + "' AND devices.jobs.status = 'failed'"));
    assertEquals(1, failed.size());
    assertEquals(offline.getDeviceId(), failed.get(0).getDeviceId());
    assertTrue(failed.get(0).getError().contains("DeviceNotOnline"), failed.get(0).getError());
  }

  @Test
  @DisplayName("a method without a payload, with the SDK's own timeouts")
  void withoutPayload() throws Exception {
    Device device = Hub.createDevice();
    DeviceClient client = clients.open(device);
    client.subscribeToMethods((name, payload, context) -> new DirectMethodResponse(200, null), null);
    String id = freshJobId();
    jobs.scheduleDirectMethod(id, in(device), "reboot", new Date());
    assertEquals(1, ended(id).getJobStatistics().getSucceededCount());
  }

  @Test
  @DisplayName("one that is scheduled is listed, page by page, and cancelled")
  void cancel() throws Exception {
    List<String> ids = List.of(freshJobId(), freshJobId(), freshJobId());
    Twin update = new Twin();
    update.getTags().put("never", true);
    for (String id : ids) jobs.scheduleUpdateTwin(id, "*", update, later(), 60);
    assertEquals(ScheduledJobStatus.scheduled, jobs.get(ids.get(0)).getJobStatus());
    List<String> listed = new ArrayList<>();
    JobQueryResponse response = jobs.query(ScheduledJobType.scheduleUpdateTwin, ScheduledJobStatus.scheduled, QueryPageOptions.builder().pageSize(2).build());
    while (response.hasNext()) listed.add(response.next(QueryPageOptions.builder().pageSize(2).build()).getJobId());
    assertTrue(listed.containsAll(ids), listed.toString());
    for (String id : ids) assertEquals(ScheduledJobStatus.cancelled, jobs.cancel(id).getJobStatus());
    assertThrows(IotHubException.class, () -> jobs.cancel(ids.get(0)));
    assertFalse(all(jobs.query(ScheduledJobType.scheduleUpdateTwin, ScheduledJobStatus.scheduled)).stream().anyMatch(job -> ids.contains(job.getJobId())));
  }

  @Test
  @DisplayName("a wrong condition fails the job, an unknown one is unknown, a wrong request is a format error")
  void wrong() throws Exception {
    Twin update = new Twin();
    update.getTags().put("a", 1);
    String id = freshJobId();
    jobs.scheduleUpdateTwin(id, "this is no condition", update, new Date(), 60);
    ScheduledJob job = ended(id);
    assertEquals(ScheduledJobStatus.failed, job.getJobStatus());
    assertTrue(job.getFailureReason().contains("queryCondition"));
    assertEquals(ScheduledJobStatus.unknown, jobs.get(freshJobId()).getJobStatus());
    assertThrows(IotHubNotFoundException.class, () -> jobs.cancel(freshJobId()));
    assertThrows(IotHubBadFormatException.class, () -> jobs.scheduleUpdateTwin("a_b", "*", update, new Date(), 60));
  }
}
