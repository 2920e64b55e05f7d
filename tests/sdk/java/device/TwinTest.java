package device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.microsoft.azure.sdk.iot.device.DeviceClient;
import com.microsoft.azure.sdk.iot.device.IotHubStatusCode;
import com.microsoft.azure.sdk.iot.device.exceptions.IotHubClientException;
import com.microsoft.azure.sdk.iot.device.twin.Twin;
import com.microsoft.azure.sdk.iot.device.twin.TwinCollection;
import com.microsoft.azure.sdk.iot.service.registry.Device;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import support.Clients;
import support.Hub;
import support.TwinCalls;

class TwinTest {
  @RegisterExtension final Clients clients = new Clients();

  private static com.microsoft.azure.sdk.iot.service.twin.Twin desired(Device device, String key, Object value) {
    var twin = new com.microsoft.azure.sdk.iot.service.twin.Twin(device.getDeviceId());
    twin.getDesiredProperties().put(key, value);
    return twin;
  }

  @Test
  @DisplayName("the device reads its twin, reports, and the service sees what was reported")
  void report() throws Exception {
    Device device = Hub.createDevice();
    DeviceClient client = clients.open(device);
    TwinCalls.subscribe(client);
    Twin twin = TwinCalls.get(client);
    assertEquals(1, twin.getDesiredProperties().getVersion());
    assertEquals(1, twin.getReportedProperties().getVersion());

    TwinCollection reported = twin.getReportedProperties();
    reported.put("firmware", Map.of("version", "1.2.3"));
    reported.put("uptime", 4);
    assertEquals(2, TwinCalls.report(client, reported));

    var seen = Hub.TWINS.get(device.getDeviceId()).getReportedProperties();
    assertEquals(2, seen.getVersion());
    assertEquals(Hub.json(4), Hub.json(seen.get("uptime")));
    assertEquals(Hub.json(Map.of("version", "1.2.3")), Hub.json(seen.get("firmware")));
    assertEquals(2, TwinCalls.get(client).getReportedProperties().getVersion());
  }

  @Test
  @DisplayName("a report for another version than the twin has is refused as a failed precondition")
  void staleReport() throws Exception {
    Device device = Hub.createDevice();
    DeviceClient client = clients.open(device);
    TwinCalls.subscribe(client);
    TwinCollection first = TwinCalls.get(client).getReportedProperties();
    TwinCollection second = new TwinCollection(first);
    first.put("a", 1);
    TwinCalls.report(client, first);
    second.setVersion(1);
    second.put("a", 2);
    IotHubClientException refused = assertThrows(IotHubClientException.class, () -> TwinCalls.report(client, second));
    assertEquals(IotHubStatusCode.PRECONDITION_FAILED, refused.getStatusCode());
    assertEquals(Hub.json(1), Hub.json(Hub.TWINS.get(device.getDeviceId()).getReportedProperties().get("a")));
  }

  @Test
  @DisplayName("a report that breaks a limit is a format error and changes nothing")
  void limit() throws Exception {
    Device device = Hub.createDevice();
    DeviceClient client = clients.open(device);
    TwinCalls.subscribe(client);
    TwinCollection reported = new TwinCollection();
    reported.put("big", "x".repeat(5000));
    IotHubClientException refused = assertThrows(IotHubClientException.class, () -> TwinCalls.report(client, reported));
    assertEquals(IotHubStatusCode.BAD_FORMAT, refused.getStatusCode());
    assertFalse(Hub.TWINS.get(device.getDeviceId()).getReportedProperties().containsKey("big"));
  }

  @Test
  @DisplayName("desired properties reach the device with their versions, a null removes a property")
  void desired() throws Exception {
    Device device = Hub.createDevice();
    DeviceClient client = clients.open(device);
    Hub.Inbox<TwinCollection> updates = TwinCalls.subscribe(client);

    Hub.TWINS.patch(desired(device, "interval", 30));
    TwinCollection delta = updates.take();
    assertEquals(2, delta.getVersion());
    assertEquals(1, delta.size());
    assertEquals(Hub.json(30), Hub.json(delta.get("interval")));

    Hub.TWINS.patch(desired(device, "interval", null));
    delta = updates.take();
    assertEquals(3, delta.getVersion());
    assertTrue(delta.containsKey("interval"));
    assertNull(delta.get("interval"));
    assertFalse(TwinCalls.get(client).getDesiredProperties().containsKey("interval"));
  }
}
