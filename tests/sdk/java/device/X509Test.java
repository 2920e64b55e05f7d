package device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.microsoft.azure.sdk.iot.device.ClientOptions;
import com.microsoft.azure.sdk.iot.device.DeviceClient;
import com.microsoft.azure.sdk.iot.device.IotHubClientProtocol;
import com.microsoft.azure.sdk.iot.device.IotHubStatusCode;
import com.microsoft.azure.sdk.iot.device.Message;
import com.microsoft.azure.sdk.iot.device.ModuleClient;
import com.microsoft.azure.sdk.iot.device.exceptions.IotHubClientException;
import com.microsoft.azure.sdk.iot.device.twin.DirectMethodResponse;
import com.microsoft.azure.sdk.iot.device.twin.TwinCollection;
import com.microsoft.azure.sdk.iot.service.auth.AuthenticationType;
import com.microsoft.azure.sdk.iot.service.methods.DirectMethodRequestOptions;
import com.microsoft.azure.sdk.iot.service.methods.DirectMethodsClient;
import com.microsoft.azure.sdk.iot.service.registry.Device;
import com.microsoft.azure.sdk.iot.service.registry.Module;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import support.Certificate;
import support.Clients;
import support.Hub;
import support.TwinCalls;

class X509Test {
  @RegisterExtension final Clients clients = new Clients();

  private static DeviceClient client(String deviceId, Certificate certificate) throws Exception {
    return new DeviceClient("HostName=" + Hub.NAME + ";DeviceId=" + deviceId + ";x509=true", IotHubClientProtocol.MQTT,
        ClientOptions.builder().sslContext(certificate.context()).build());
  }

  private static String registerRoot(Certificate root) throws Exception {
    String name = Hub.freshId("root");
    String body = Hub.json(Map.of("properties", Map.of("certificate", root.pem(), "isVerified", true))).toString();
    assertEquals(201, Hub.api("PUT", "/_nearhub/certificates/" + name, body).status());
    return name;
  }

  @Test
  @DisplayName("a device is let in by the thumbprint of its certificate, and everything works")
  void thumbprint() throws Exception {
    Certificate certificate = Certificate.selfSigned("anything");
    Device device = new Device(Hub.freshId("x509"), AuthenticationType.SELF_SIGNED);
    device.setThumbprint(certificate.thumbprint("SHA-1"), certificate.thumbprint("SHA-1"));
    Hub.REGISTRY.addDevice(device);
    String id = device.getDeviceId();
    DeviceClient client = clients.opened(client(id, certificate));
    client.sendEvent(new Message("by thumbprint"));
    JsonObject annotations = Hub.eventsOf(id).get(0).getAsJsonObject("annotations");
    assertEquals("x509Certificate",
        JsonParser.parseString(annotations.get("iothub-connection-auth-method").getAsString()).getAsJsonObject().get("type").getAsString());

    TwinCalls.subscribe(client);
    TwinCollection reported = TwinCalls.get(client).getReportedProperties();
    reported.put("firmware", "1.0");
    assertEquals(2, TwinCalls.report(client, reported));
    client.subscribeToMethods((name, payload, context) -> new DirectMethodResponse(200, name), null);
    assertEquals("ping", new DirectMethodsClient(Hub.OWNER).invoke(id, "ping",
        DirectMethodRequestOptions.builder().methodConnectTimeoutSeconds(10).methodResponseTimeoutSeconds(20).build()).getPayload(String.class));
  }

  @Test
  @DisplayName("a device and its module are let in by certificates of a registered authority")
  void authority() throws Exception {
    Certificate root = Certificate.selfSigned("root of the Java tests");
    registerRoot(root);
    Device device = Hub.REGISTRY.addDevice(new Device(Hub.freshId("ca"), AuthenticationType.CERTIFICATE_AUTHORITY));
    String id = device.getDeviceId();
    clients.opened(client(id, root.issue(id))).sendEvent(new Message("of the device"));

    Hub.REGISTRY.addModule(new Module(id, "m1", AuthenticationType.CERTIFICATE_AUTHORITY));
    ModuleClient module = new ModuleClient("HostName=" + Hub.NAME + ";DeviceId=" + id + ";ModuleId=m1;x509=true", IotHubClientProtocol.MQTT,
        ClientOptions.builder().sslContext(root.issue(id + "/m1").context()).build());
    clients.opened(module).sendEvent(new Message("of the module"));
    assertEquals(2, Hub.eventsOf(id).size());
    assertEquals("m1", Hub.eventsOf(id).get(1).get("moduleId").getAsString());
  }

  @Test
  @DisplayName("a certificate that is not registered is unauthorized, and the hub says why")
  void stranger() throws Exception {
    Device device = new Device(Hub.freshId("x509"), AuthenticationType.SELF_SIGNED);
    device.setThumbprint("A".repeat(40), "B".repeat(40));
    Hub.REGISTRY.addDevice(device);
    Certificate certificate = Certificate.selfSigned("stranger");
    IotHubClientException refused = assertThrows(IotHubClientException.class, () -> client(device.getDeviceId(), certificate).open(false));
    assertEquals(IotHubStatusCode.UNAUTHORIZED, refused.getStatusCode());
    JsonObject refusal = Hub.api("GET", "/_nearhub/refusals?id=" + device.getDeviceId(), "").json().getAsJsonArray().get(0).getAsJsonObject();
    assertEquals("certificate", refusal.get("check").getAsString());
  }
}
