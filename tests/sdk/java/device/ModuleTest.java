package device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.microsoft.azure.sdk.iot.device.Message;
import com.microsoft.azure.sdk.iot.device.ModuleClient;
import com.microsoft.azure.sdk.iot.device.twin.DirectMethodResponse;
import com.microsoft.azure.sdk.iot.device.twin.TwinCollection;
import com.microsoft.azure.sdk.iot.service.methods.DirectMethodRequestOptions;
import com.microsoft.azure.sdk.iot.service.methods.DirectMethodsClient;
import com.microsoft.azure.sdk.iot.service.registry.Device;
import com.microsoft.azure.sdk.iot.service.registry.Module;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import support.Clients;
import support.Hub;
import support.TwinCalls;

class ModuleTest {
  @RegisterExtension final Clients clients = new Clients();

  @Test
  @DisplayName("telemetry carries the module id, an output event its output too")
  void telemetry() throws Exception {
    Device device = Hub.createDevice();
    Module module = Hub.createModule(device);
    ModuleClient client = clients.open(module);
    Message plain = new Message("plain");
    plain.setProperty("k", "v");
    client.sendEvent(plain);
    client.sendEvent(new Message("to an output"), "alerts");
    List<JsonObject> events = Hub.eventsOf(device.getDeviceId());
    assertEquals(List.of("plain", "to an output"), events.stream().map(event -> event.get("body").getAsString()).toList());
    assertTrue(events.stream().allMatch(event -> event.get("moduleId").getAsString().equals(module.getId())));
    assertEquals(Hub.json(Map.of("k", "v")), events.get(0).get("properties"));
    assertEquals("alerts", events.get(1).getAsJsonObject("systemProperties").get("iothub-outputname").getAsString());
  }

  @Test
  @DisplayName("a module reports, gets desired properties and answers methods of its own")
  void twinAndMethods() throws Exception {
    Device device = Hub.createDevice();
    Module module = Hub.createModule(device);
    ModuleClient client = clients.open(module);
    Hub.Inbox<TwinCollection> updates = TwinCalls.subscribe(client);
    TwinCollection reported = TwinCalls.get(client).getReportedProperties();
    reported.put("state", "ok");
    assertEquals(2, TwinCalls.report(client, reported));
    assertEquals("ok", Hub.TWINS.get(device.getDeviceId(), module.getId()).getReportedProperties().get("state"));

    var twin = new com.microsoft.azure.sdk.iot.service.twin.Twin(device.getDeviceId(), module.getId());
    twin.getDesiredProperties().put("rate", 5);
    Hub.TWINS.patch(twin);
    assertEquals(Hub.json(5), Hub.json(updates.take().get("rate")));
    assertEquals(1, Hub.TWINS.get(device.getDeviceId()).getDesiredProperties().getVersion(), "the device's own twin is another one");

    client.subscribeToMethods((name, payload, context) -> new DirectMethodResponse(200, "from the module"), null);
    var response = new DirectMethodsClient(Hub.OWNER).invoke(device.getDeviceId(), module.getId(), "hello",
        DirectMethodRequestOptions.builder().methodConnectTimeoutSeconds(10).methodResponseTimeoutSeconds(20).build());
    assertEquals("from the module", response.getPayload(String.class));
  }
}
