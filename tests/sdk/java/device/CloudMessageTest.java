package device;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.microsoft.azure.sdk.iot.device.DeviceClient;
import com.microsoft.azure.sdk.iot.device.IotHubClientProtocol;
import com.microsoft.azure.sdk.iot.device.IotHubMessageResult;
import com.microsoft.azure.sdk.iot.device.Message;
import com.microsoft.azure.sdk.iot.device.MessageCallback;
import com.microsoft.azure.sdk.iot.device.ModuleClient;
import com.microsoft.azure.sdk.iot.service.registry.Device;
import com.microsoft.azure.sdk.iot.service.registry.Module;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import support.Clients;
import support.Hub;

class CloudMessageTest {
  @RegisterExtension final Clients clients = new Clients();

  private static MessageCallback completing(Hub.Inbox<Message> messages) {
    return (message, context) -> {
      messages.put(message);
      return IotHubMessageResult.COMPLETE;
    };
  }

  @Test
  @DisplayName("a queued message arrives with its properties, and completing it empties the queue")
  void complete() throws Exception {
    Device device = Hub.createDevice();
    String id = device.getDeviceId();
    assertEquals(204, Hub.api("POST", "/devices/" + id + "/messages/deviceBound", "hello", "iothub-messageid", "c2d-1", "iothub-correlationid", "corr",
        "iothub-contenttype", "text/plain", "iothub-contentencoding", "utf-8", "iothub-app-color", "dark blue", "iothub-app-sum", "1+1=2&more",
        "iothub-ack", "full").status());
    assertEquals(1, Hub.REGISTRY.getDevice(id).getCloudToDeviceMessageCount());

    Hub.Inbox<Message> messages = new Hub.Inbox<>();
    DeviceClient client = new DeviceClient(Hub.connectionString(device), IotHubClientProtocol.MQTT);
    client.setMessageCallback(completing(messages), null);
    clients.opened(client);
    Message message = messages.take();
    assertEquals("hello", new String(message.getBytes(), StandardCharsets.UTF_8));
    assertEquals("c2d-1", message.getMessageId());
    assertEquals("corr", message.getCorrelationId());
    assertEquals("text/plain", message.getContentType());
    assertEquals("utf-8", message.getContentEncoding());
    assertEquals("dark blue", message.getProperty("color"));
    assertEquals("1+1=2&more", message.getProperty("sum"));
    Hub.waitUntil("the queue is empty", () -> Hub.REGISTRY.getDevice(id).getCloudToDeviceMessageCount() == 0);
  }

  // This SDK fails on `key=` and on `key` alone, and the message would come again and again.
  @Test
  @DisplayName("a message with an empty property does not stop the ones behind it")
  void emptyProperty() throws Exception {
    Device device = Hub.createDevice();
    Hub.Inbox<Message> messages = new Hub.Inbox<>();
    DeviceClient client = new DeviceClient(Hub.connectionString(device), IotHubClientProtocol.MQTT);
    client.setMessageCallback(completing(messages), null);
    clients.opened(client);
    String path = "/devices/" + device.getDeviceId() + "/messages/deviceBound";
    assertEquals(204, Hub.api("POST", path, "first", "iothub-app-empty", "", "iothub-app-full", "yes").status());
    assertEquals(204, Hub.api("POST", path, "second").status());
    Message first = messages.take();
    assertEquals("first", new String(first.getBytes(), StandardCharsets.UTF_8));
    assertEquals("yes", first.getProperty("full"));
    assertEquals("second", new String(messages.take().getBytes(), StandardCharsets.UTF_8));
  }

  @Test
  @DisplayName("a module has a queue of its own")
  void module() throws Exception {
    Device device = Hub.createDevice();
    Module module = Hub.createModule(device);
    Hub.Inbox<Message> messages = new Hub.Inbox<>();
    ModuleClient client = new ModuleClient(Hub.connectionString(module), IotHubClientProtocol.MQTT);
    client.setMessageCallback(completing(messages), null);
    clients.opened(client);
    assertEquals(204, Hub.api("POST", "/devices/" + device.getDeviceId() + "/modules/" + module.getId() + "/messages/deviceBound", "for the module",
        "iothub-app-k", "v").status());
    Message message = messages.take();
    assertEquals("for the module", new String(message.getBytes(), StandardCharsets.UTF_8));
    assertEquals("v", message.getProperty("k"));
  }

  // More than may be under way at once: each acknowledgement lets the next one come.
  @Test
  @DisplayName("many queued messages arrive in their order, one of 64 KB among them")
  void many() throws Exception {
    Device device = Hub.createDevice();
    String path = "/devices/" + device.getDeviceId() + "/messages/deviceBound";
    List<String> sent = new ArrayList<>();
    for (int i = 0; i < 25; i++) {
      sent.add(i == 12 ? "y".repeat(65000) : "n" + i);
      assertEquals(204, Hub.api("POST", path, sent.get(i)).status());
    }
    Hub.Inbox<Message> messages = new Hub.Inbox<>();
    DeviceClient client = new DeviceClient(Hub.connectionString(device), IotHubClientProtocol.MQTT);
    client.setMessageCallback(completing(messages), null);
    clients.opened(client);
    for (String body : sent) assertEquals(body, new String(messages.take().getBytes(), StandardCharsets.UTF_8));
    Hub.waitUntil("the queue is empty", () -> Hub.REGISTRY.getDevice(device.getDeviceId()).getCloudToDeviceMessageCount() == 0);
  }
}
