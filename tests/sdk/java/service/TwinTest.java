package service;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.microsoft.azure.sdk.iot.service.exceptions.ErrorCodeDescription;
import com.microsoft.azure.sdk.iot.service.exceptions.IotHubBadFormatException;
import com.microsoft.azure.sdk.iot.service.exceptions.IotHubNotFoundException;
import com.microsoft.azure.sdk.iot.service.exceptions.IotHubPreconditionFailedException;
import com.microsoft.azure.sdk.iot.service.registry.Device;
import com.microsoft.azure.sdk.iot.service.registry.Module;
import com.microsoft.azure.sdk.iot.service.twin.Twin;
import com.microsoft.azure.sdk.iot.service.twin.TwinClient;
import com.microsoft.azure.sdk.iot.service.twin.TwinCollection;
import com.microsoft.azure.sdk.iot.service.twin.TwinConnectionState;
import com.microsoft.azure.sdk.iot.service.twin.TwinStatus;
import java.util.Date;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import support.Hub;

class TwinTest {
  private final TwinClient twins = new TwinClient(Hub.OWNER);

  private static Twin of(Device device) {
    return new Twin(device.getDeviceId());
  }

  @Test
  @DisplayName("a new device's twin is empty and at its first versions")
  void fresh() throws Exception {
    Device device = Hub.createDevice();
    Twin twin = twins.get(device.getDeviceId());
    assertEquals(device.getDeviceId(), twin.getDeviceId());
    assertEquals("AAAAAAAAAAE=", twin.getETag());
    assertEquals(2, twin.getVersion());
    assertEquals(1, twin.getDesiredProperties().getVersion());
    assertEquals(1, twin.getReportedProperties().getVersion());
    assertTrue(twin.getTags().isEmpty() && twin.getDesiredProperties().isEmpty() && twin.getReportedProperties().isEmpty());
    assertEquals(TwinStatus.ENABLED, twin.getStatus());
    assertEquals(TwinConnectionState.DISCONNECTED.toString(), twin.getConnectionState());
    assertEquals(0, twin.getCloudToDeviceMessageCount());
    assertFalse(twin.getCapabilities().isIotEdge());
    assertEquals("", twin.getModelId());
  }

  // PATCH travels as POST with X-HTTP-Method-Override.
  @Test
  @DisplayName("a patch merges tags and desired properties, moves versions and metadata")
  void patch() throws Exception {
    Date before = new Date();
    Device device = Hub.createDevice();
    Twin twin = of(device);
    twin.getTags().put("room", "lab");
    twin.getDesiredProperties().put("interval", 30);
    twin.getDesiredProperties().put("nested", Map.of("a", 1, "b", "two"));
    twin.getDesiredProperties().put("list", List.of(1, 2, 3));
    Twin patched = twins.patch(twin);
    assertEquals("lab", patched.getTags().get("room"));
    assertEquals(2, patched.getDesiredProperties().getVersion());
    assertEquals("AAAAAAAAAAI=", patched.getETag());

    Twin change = of(device);
    change.getDesiredProperties().put("interval", 60);
    change.getDesiredProperties().put("list", null);
    twins.patch(change);
    TwinCollection desired = twins.get(device.getDeviceId()).getDesiredProperties();
    assertEquals(3, desired.getVersion());
    assertEquals(Hub.json(60), Hub.json(desired.get("interval")));
    assertFalse(desired.containsKey("list"));
    assertEquals(Hub.json(Map.of("a", 1, "b", "two")), Hub.json(desired.get("nested")));
    assertEquals(3, desired.getTwinMetadata("interval").getLastUpdatedVersion());
    assertEquals(2, desired.getTwinMetadata("nested").getLastUpdatedVersion());
    assertFalse(desired.getTwinMetadata("interval").getLastUpdated().before(before));
  }

  @Test
  @DisplayName("a replacement leaves nothing of what was there")
  void replace() throws Exception {
    Device device = Hub.createDevice();
    Twin first = of(device);
    first.getTags().put("room", "lab");
    first.getDesiredProperties().put("a", 1);
    twins.patch(first);
    Twin second = of(device);
    second.getTags().put("floor", 2);
    second.getDesiredProperties().put("b", 2);
    Twin replaced = twins.replace(second);
    assertEquals(Hub.json(Map.of("floor", 2)), Hub.json(replaced.getTags()));
    assertEquals(Hub.json(Map.of("b", 2)), Hub.json(replaced.getDesiredProperties()));
    assertEquals(3, replaced.getDesiredProperties().getVersion());
  }

  @Test
  @DisplayName("patch and replacement heed the etag that they were given")
  void etags() throws Exception {
    Device device = Hub.createDevice();
    String stale = twins.get(device.getDeviceId()).getETag();
    Twin change = of(device);
    change.getTags().put("n", 1);
    Twin patched = twins.patch(change, stale);
    assertNotEquals(stale, patched.getETag());
    assertThrows(IotHubPreconditionFailedException.class, () -> twins.patch(change, stale));
    assertThrows(IotHubPreconditionFailedException.class, () -> twins.replace(change, stale));
    assertThrows(IotHubPreconditionFailedException.class, () -> twins.patch(change, "\"" + stale + "\""));
    twins.replace(change, "\"" + patched.getETag() + "\"");
    twins.patch(change, "*");
  }

  @Test
  @DisplayName("a module has a twin of its own")
  void module() throws Exception {
    Device device = Hub.createDevice();
    Module module = Hub.createModule(device);
    Twin twin = new Twin(device.getDeviceId(), module.getId());
    twin.getTags().put("role", "sensor");
    twin.getDesiredProperties().put("rate", 1.5);
    twins.patch(twin);
    Twin read = twins.get(device.getDeviceId(), module.getId());
    assertEquals(module.getId(), read.getModuleId());
    assertEquals("sensor", read.getTags().get("role"));
    assertEquals(1.5, read.getDesiredProperties().get("rate"));
    assertTrue(twins.get(device.getDeviceId()).getTags().isEmpty());
    twins.replace(new Twin(device.getDeviceId(), module.getId()));
    assertTrue(twins.get(device.getDeviceId(), module.getId()).getTags().isEmpty());
  }

  @Test
  @DisplayName("what is not there and what breaks a limit are errors with the hub's numbers")
  void errors() throws Exception {
    Device device = Hub.createDevice();
    IotHubNotFoundException missing = assertThrows(IotHubNotFoundException.class, () -> twins.get("nobody"));
    assertEquals(404001, missing.getErrorCode());
    assertEquals(ErrorCodeDescription.DeviceNotFound, missing.getErrorCodeDescription());
    assertThrows(IotHubNotFoundException.class, () -> twins.get(device.getDeviceId(), "nobody"));

    Twin big = of(device);
    big.getDesiredProperties().put("big", "x".repeat(5000));
    IotHubBadFormatException refused = assertThrows(IotHubBadFormatException.class, () -> twins.patch(big));
    assertEquals(400004, refused.getErrorCode());
    assertEquals(ErrorCodeDescription.ArgumentInvalid, refused.getErrorCodeDescription());
    assertEquals(2, twins.get(device.getDeviceId()).getVersion());
  }
}
