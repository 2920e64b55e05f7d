package device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.gson.JsonObject;
import com.microsoft.azure.sdk.iot.device.ClientOptions;
import com.microsoft.azure.sdk.iot.device.ConnectionStatusChangeContext;
import com.microsoft.azure.sdk.iot.device.DeviceClient;
import com.microsoft.azure.sdk.iot.device.IotHubClientProtocol;
import com.microsoft.azure.sdk.iot.device.IotHubMessageResult;
import com.microsoft.azure.sdk.iot.device.IotHubStatusCode;
import com.microsoft.azure.sdk.iot.device.Message;
import com.microsoft.azure.sdk.iot.device.SasTokenProvider;
import com.microsoft.azure.sdk.iot.device.auth.IotHubSasToken;
import com.microsoft.azure.sdk.iot.device.exceptions.IotHubClientException;
import com.microsoft.azure.sdk.iot.device.transport.IotHubConnectionStatus;
import com.microsoft.azure.sdk.iot.device.twin.DirectMethodResponse;
import com.microsoft.azure.sdk.iot.service.methods.DirectMethodRequestOptions;
import com.microsoft.azure.sdk.iot.service.methods.DirectMethodsClient;
import com.microsoft.azure.sdk.iot.service.registry.Device;
import com.microsoft.azure.sdk.iot.service.registry.DeviceConnectionState;
import com.microsoft.azure.sdk.iot.service.registry.DeviceStatus;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.eclipse.paho.client.mqttv3.MqttClient;
import org.eclipse.paho.client.mqttv3.MqttConnectOptions;
import org.eclipse.paho.client.mqttv3.persist.MemoryPersistence;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import support.Clients;
import support.Hub;
import support.TwinCalls;

class ConnectionTest {
  @RegisterExtension final Clients clients = new Clients();

  private Hub.Inbox<ConnectionStatusChangeContext> watch(DeviceClient client) {
    Hub.Inbox<ConnectionStatusChangeContext> changes = new Hub.Inbox<>();
    client.setConnectionStatusChangeCallback(changes::put, null);
    return changes;
  }

  private static ConnectionStatusChangeContext next(Hub.Inbox<ConnectionStatusChangeContext> changes, IotHubConnectionStatus status) throws Exception {
    ConnectionStatusChangeContext change = changes.take();
    while (change.getNewStatus() != status) change = changes.take();
    return change;
  }

  @Test
  @DisplayName("the registry shows when a device is connected and when it has gone")
  void connectionState() throws Exception {
    Device device = Hub.createDevice();
    DeviceClient client = clients.open(device);
    assertEquals(DeviceConnectionState.Connected, Hub.REGISTRY.getDevice(device.getDeviceId()).getConnectionState());
    client.close();
    Hub.waitUntil("the device is disconnected",
        () -> Hub.REGISTRY.getDevice(device.getDeviceId()).getConnectionState() == DeviceConnectionState.Disconnected);
  }

  @Test
  @DisplayName("an address is a name as good as any, and so is one behind a gateway's")
  void names() throws Exception {
    Device device = Hub.createDevice();
    String connectionString = Hub.connectionString(device);
    DeviceClient direct = clients.opened(new DeviceClient(Hub.withHost(connectionString, Hub.ADDRESS), IotHubClientProtocol.MQTT));
    direct.sendEvent(new Message("by address"));
    direct.close();
    DeviceClient behind = clients.opened(new DeviceClient(connectionString + ";GatewayHostName=" + Hub.ADDRESS, IotHubClientProtocol.MQTT));
    behind.sendEvent(new Message("by gateway"));
    assertEquals(2, Hub.eventsOf(device.getDeviceId()).size());
  }

  @Test
  @DisplayName("the model id stands on the twin")
  void modelId() throws Exception {
    Device device = Hub.createDevice();
    clients.open(device, ClientOptions.builder().modelId("dtmi:com:example:Thermostat;1").build());
    assertEquals("dtmi:com:example:Thermostat;1", Hub.TWINS.get(device.getDeviceId()).getModelId());
  }

  @Test
  @DisplayName("a wrong key is unauthorized, and the refusal book says which check failed")
  void wrongKey() throws Exception {
    Device device = Hub.createDevice();
    String wrong = "HostName=" + Hub.NAME + ";DeviceId=" + device.getDeviceId() + ";SharedAccessKey=" + Base64.getEncoder().encodeToString(new byte[32]);
    IotHubClientException refused = assertThrows(IotHubClientException.class, () -> new DeviceClient(wrong, IotHubClientProtocol.MQTT).open(false));
    assertEquals(IotHubStatusCode.UNAUTHORIZED, refused.getStatusCode());
    JsonObject refusal = Hub.api("GET", "/_nearhub/refusals?id=" + device.getDeviceId(), "").json().getAsJsonArray().get(0).getAsJsonObject();
    assertEquals("SAS signature", refusal.get("check").getAsString());
  }

  // The SDK takes a refusal of a token that has not expired for a passing one, and tries again.
  @Test
  @DisplayName("disabling the device ends its connection and refuses new ones until it is enabled again")
  void disabled() throws Exception {
    Device device = Hub.createDevice();
    DeviceClient client = clients.open(device);
    Hub.Inbox<ConnectionStatusChangeContext> changes = watch(client);
    device.setStatus(DeviceStatus.Disabled);
    Hub.REGISTRY.updateDevice(device);
    next(changes, IotHubConnectionStatus.DISCONNECTED_RETRYING);
    Hub.waitUntil("a new connection is refused",
        () -> Hub.api("GET", "/_nearhub/refusals?id=" + device.getDeviceId(), "").body().contains("CONNACK 5"));
    device.setStatus(DeviceStatus.Enabled);
    Hub.REGISTRY.updateDevice(device);
    next(changes, IotHubConnectionStatus.CONNECTED);
    client.sendEvent(new Message("enabled again"));
    assertEquals(1, Hub.eventsOf(device.getDeviceId()).size());
  }

  // Another client of the same id takes over and leaves: the SDK comes back by itself.
  @Test
  @DisplayName("a client that lost its connection comes back and is served as before")
  void reconnect() throws Exception {
    Device device = Hub.createDevice();
    String id = device.getDeviceId();
    DeviceClient client = clients.open(device);
    client.subscribeToMethods((name, payload, context) -> new DirectMethodResponse(200, "pong"), null);
    Hub.Inbox<ConnectionStatusChangeContext> changes = watch(client);

    MqttConnectOptions options = new MqttConnectOptions();
    options.setCleanSession(false);
    options.setUserName(Hub.NAME + "/" + id + "/?api-version=2021-04-12");
    options.setPassword(new IotHubSasToken(Hub.NAME, id, device.getPrimaryKey(), null, null, System.currentTimeMillis() / 1000 + 3600).toString().toCharArray());
    try (MqttClient other = new MqttClient("ssl://" + Hub.NAME + ":8883", id, new MemoryPersistence())) {
      other.connect(options);
      next(changes, IotHubConnectionStatus.DISCONNECTED_RETRYING);
      if (other.isConnected()) other.disconnect();
    }
    next(changes, IotHubConnectionStatus.CONNECTED);
    client.sendEvent(new Message("back again"));
    assertEquals(1, Hub.eventsOf(id).size());
    var response = new DirectMethodsClient(Hub.OWNER).invoke(id, "ping",
        DirectMethodRequestOptions.builder().methodConnectTimeoutSeconds(10).methodResponseTimeoutSeconds(20).build());
    assertEquals("pong", response.getPayload(String.class));
  }

  // Over MQTT this SDK does not renew a token in time: the hub ends the connection when the grace after the expiry has passed, and the client comes
  // back with a new one. The hub of these tests has a grace of a second.
  @Test
  @DisplayName("a client whose token has expired comes back with a new one")
  void renewal() throws Exception {
    Device device = Hub.createDevice();
    DeviceClient client = new DeviceClient(Hub.connectionString(device), IotHubClientProtocol.MQTT, ClientOptions.builder().sasTokenExpiryTime(2).build());
    Hub.Inbox<ConnectionStatusChangeContext> changes = watch(client);
    clients.opened(client);
    next(changes, IotHubConnectionStatus.CONNECTED);
    client.sendEvent(new Message("with the first token"));
    next(changes, IotHubConnectionStatus.DISCONNECTED_RETRYING);
    next(changes, IotHubConnectionStatus.CONNECTED);
    client.sendEvent(new Message("with the second"));
    assertEquals(2, Hub.eventsOf(device.getDeviceId()).size());
  }

  @Test
  @DisplayName("a client that was closed may be opened again")
  void reopen() throws Exception {
    Device device = Hub.createDevice();
    DeviceClient client = clients.open(device);
    client.sendEvent(new Message("first"));
    client.close();
    client.open(false);
    client.sendEvent(new Message("second"));
    assertEquals(2, Hub.eventsOf(device.getDeviceId()).size());
  }

  // Characters that mean something in topics and connection strings are left out: # + ? ; = %
  @Test
  @DisplayName("a device with an odd id has telemetry, a twin and messages")
  void oddId() throws Exception {
    Device device = Hub.REGISTRY.addDevice(new Device(Hub.freshId("odd:._*!(),@'$")));
    DeviceClient client = new DeviceClient(Hub.connectionString(device), IotHubClientProtocol.MQTT);
    Hub.Inbox<String> messages = new Hub.Inbox<>();
    client.setMessageCallback((message, context) -> {
      messages.put(new String(message.getBytes(), StandardCharsets.UTF_8));
      return IotHubMessageResult.COMPLETE;
    }, null);
    clients.opened(client);
    client.sendEvent(new Message("from an odd one"));
    assertEquals(1, Hub.eventsOf(device.getDeviceId()).size());
    TwinCalls.subscribe(client);
    assertEquals(1, TwinCalls.get(client).getDesiredProperties().getVersion());
    assertEquals(204, Hub.api("POST", "/devices/" + device.getDeviceId() + "/messages/deviceBound", "to an odd one").status());
    assertEquals("to an odd one", messages.take());
  }

  @Test
  @DisplayName("a token that the user made does for a device")
  void ownToken() throws Exception {
    Device device = Hub.createDevice();
    SasTokenProvider provider = () -> new IotHubSasToken(Hub.NAME, device.getDeviceId(), device.getPrimaryKey(), null, null,
        System.currentTimeMillis() / 1000 + 600).toString().toCharArray();
    DeviceClient client = clients.opened(new DeviceClient(Hub.NAME, device.getDeviceId(), provider, IotHubClientProtocol.MQTT));
    client.sendEvent(new Message("with a token of mine"));
    assertEquals(1, Hub.eventsOf(device.getDeviceId()).size());
  }
}
