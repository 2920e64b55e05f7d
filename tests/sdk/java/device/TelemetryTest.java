package device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.microsoft.azure.sdk.iot.device.DeviceClient;
import com.microsoft.azure.sdk.iot.device.Message;
import com.microsoft.azure.sdk.iot.service.registry.Device;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import support.Clients;
import support.Hub;

class TelemetryTest {
  @RegisterExtension final Clients clients = new Clients();

  @Test
  @DisplayName("a message is in the event stream with its body and every property")
  void properties() throws Exception {
    Device device = Hub.createDevice();
    DeviceClient client = clients.open(device);
    Message message = new Message("{\"temperature\": 21.5}");
    message.setMessageId("m-1");
    message.setCorrelationId("c-1");
    message.setUserId("u-1");
    message.setContentType("application/json");
    message.setContentEncoding("utf-8");
    message.setComponentName("thermostat1");
    message.setProperty("a b", "x&y=z");
    message.setProperty("umlaut", "ä+ö/ü%");
    client.sendEvent(message);

    List<JsonObject> events = Hub.eventsOf(device.getDeviceId());
    assertEquals(1, events.size());
    JsonObject event = events.get(0);
    assertEquals(Hub.json(Map.of("temperature", 21.5)), event.get("body"));
    assertEquals(Hub.json(Map.of("a b", "x&y=z", "umlaut", "ä+ö/ü%")), event.get("properties"));
    JsonObject system = event.getAsJsonObject("systemProperties");
    assertEquals("m-1", system.get("message-id").getAsString());
    assertEquals("c-1", system.get("correlation-id").getAsString());
    assertEquals("u-1", system.get("user-id").getAsString());
    assertEquals("application/json", system.get("content-type").getAsString());
    assertEquals("utf-8", system.get("content-encoding").getAsString());
    JsonObject annotations = event.getAsJsonObject("annotations");
    assertEquals(device.getDeviceId(), annotations.get("iothub-connection-device-id").getAsString());
    assertEquals(device.getGenerationId(), annotations.get("iothub-connection-auth-generation-id").getAsString());
    assertEquals("thermostat1", annotations.get("dt-subject").getAsString());
  }

  // In which order is the SDK's affair: its look for expired messages turns its queue round while it is sent from.
  @Test
  @DisplayName("many messages at once are acknowledged and stored, each once")
  void many() throws Exception {
    Device device = Hub.createDevice();
    DeviceClient client = clients.open(device);
    CountDownLatch acknowledged = new CountDownLatch(50);
    for (int i = 0; i < 50; i++) {
      client.sendEventAsync(new Message("n" + i), (message, exception, context) -> {
        if (exception == null) acknowledged.countDown();
      }, null);
    }
    assertTrue(acknowledged.await(Hub.PATIENCE_S, TimeUnit.SECONDS));
    assertEquals(IntStream.range(0, 50).mapToObj(i -> "n" + i).sorted().toList(),
        Hub.eventsOf(device.getDeviceId()).stream().map(event -> event.get("body").getAsString()).sorted().toList());
  }

  @Test
  @DisplayName("a message of nearly 256 KB arrives whole")
  void big() throws Exception {
    Device device = Hub.createDevice();
    DeviceClient client = clients.open(device);
    String body = "x".repeat(262144 - 100);
    client.sendEvent(new Message(body));
    assertEquals(body, Hub.eventsOf(device.getDeviceId()).get(0).get("body").getAsString());
  }

  @Test
  @DisplayName("a security message and one with a creation time carry them")
  void security() throws Exception {
    Device device = Hub.createDevice();
    DeviceClient client = clients.open(device);
    Message message = new Message("alarm");
    message.setAsSecurityMessage();
    message.setCreationTimeUTC(Date.from(Instant.parse("2026-01-02T03:04:05.678Z")));
    client.sendEvent(message);
    JsonObject system = Hub.eventsOf(device.getDeviceId()).get(0).getAsJsonObject("systemProperties");
    assertEquals("urn:azureiot:Security:SecurityAgent:1", system.get("iothub-interface-id").getAsString());
    assertTrue(system.get("iothub-creation-time-utc").getAsString().startsWith("2026-01-02T03:04:05."), system.toString());
  }
}
