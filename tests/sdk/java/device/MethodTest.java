package device;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.gson.JsonElement;
import com.google.gson.JsonParser;
import com.microsoft.azure.sdk.iot.device.DeviceClient;
import com.microsoft.azure.sdk.iot.device.twin.DirectMethodResponse;
import com.microsoft.azure.sdk.iot.service.methods.DirectMethodRequestOptions;
import com.microsoft.azure.sdk.iot.service.methods.DirectMethodsClient;
import com.microsoft.azure.sdk.iot.service.registry.Device;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import support.Clients;
import support.Hub;

class MethodTest {
  @RegisterExtension final Clients clients = new Clients();
  private final DirectMethodsClient methods = new DirectMethodsClient(Hub.OWNER);

  private static DirectMethodRequestOptions with(Object payload) {
    return DirectMethodRequestOptions.builder().payload(payload).methodConnectTimeoutSeconds(10).methodResponseTimeoutSeconds(20).build();
  }

  @Test
  @DisplayName("every kind of payload arrives as it was sent, and so does the answer")
  void payloads() throws Exception {
    Device device = Hub.createDevice();
    DeviceClient client = clients.open(device);
    Hub.Inbox<String> names = new Hub.Inbox<>();
    client.subscribeToMethods((name, payload, context) -> {
      names.put(name);
      return new DirectMethodResponse(201, Map.of("got", payload.getPayloadAsJsonElement()));
    }, null);
    for (String sent : List.of("\"\"", "\"a string\"", "42", "true", "{}", "{\"nested\":{\"list\":[1,2,3]}}", "[\"x\"]")) {
      JsonElement payload = JsonParser.parseString(sent);
      var response = methods.invoke(device.getDeviceId(), "echo", with(payload));
      assertEquals(201, response.getStatus());
      // The service SDK reads numbers as doubles: compared as it reads them.
      assertEquals(JsonParser.parseString("{\"got\":" + sent.replaceAll("(\\d+)", "$1.0") + "}"), response.getPayloadAsJsonElement(), sent);
      assertEquals("echo", names.take());
    }
  }

  @Test
  @DisplayName("a call without a payload and an answer without one")
  void nothing() throws Exception {
    Device device = Hub.createDevice();
    DeviceClient client = clients.open(device);
    Hub.Inbox<String> payloads = new Hub.Inbox<>();
    client.subscribeToMethods((name, payload, context) -> {
      payloads.put(payload.getPayloadAsJsonString());
      return new DirectMethodResponse(200, null);
    }, null);
    var response = methods.invoke(device.getDeviceId(), "reboot", with(null));
    assertEquals(200, response.getStatus());
    assertEquals("null", response.getPayloadAsJsonString());
    assertEquals("null", payloads.take());
  }

  @Test
  @DisplayName("calls at once are each answered with their own payload")
  void atOnce() throws Exception {
    Device device = Hub.createDevice();
    DeviceClient client = clients.open(device);
    client.subscribeToMethods((name, payload, context) -> new DirectMethodResponse(200, payload.getPayload(Integer.class) * 2), null);
    List<CompletableFuture<Integer>> answers = IntStream.range(0, 10).mapToObj(i -> CompletableFuture.supplyAsync(() -> {
      try {
        return methods.invoke(device.getDeviceId(), "double", with(i)).getPayload(Integer.class);
      } catch (Exception e) {
        throw new AssertionError(e);
      }
    })).toList();
    for (int i = 0; i < answers.size(); i++) assertEquals(2 * i, answers.get(i).get());
  }
}
