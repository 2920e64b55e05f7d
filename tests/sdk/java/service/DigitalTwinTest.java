package service;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.microsoft.azure.sdk.iot.device.ClientOptions;
import com.microsoft.azure.sdk.iot.device.DeviceClient;
import com.microsoft.azure.sdk.iot.device.twin.DirectMethodResponse;
import com.microsoft.azure.sdk.iot.device.twin.TwinCollection;
import com.microsoft.azure.sdk.iot.service.digitaltwin.DigitalTwinClient;
import com.microsoft.azure.sdk.iot.service.digitaltwin.UpdateOperationUtility;
import com.microsoft.azure.sdk.iot.service.digitaltwin.models.DigitalTwinInvokeCommandRequestOptions;
import com.microsoft.azure.sdk.iot.service.digitaltwin.models.DigitalTwinUpdateRequestOptions;
import com.microsoft.azure.sdk.iot.service.digitaltwin.serialization.BasicDigitalTwin;
import com.microsoft.azure.sdk.iot.service.digitaltwin.serialization.WritableProperty;
import com.microsoft.azure.sdk.iot.service.registry.Device;
import com.microsoft.rest.RestException;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import support.Clients;
import support.Hub;
import support.TwinCalls;

class DigitalTwinTest {
  private static final String MODEL = "dtmi:com:example:TemperatureController;2";

  @RegisterExtension final Clients clients = new Clients();
  private final DigitalTwinClient digitalTwins = new DigitalTwinClient(Hub.OWNER);

  // The SDK puts its marker into the map that it is given.
  private static Map<String, Object> component(String name, Object value) {
    return new HashMap<>(Map.of(name, value));
  }

  private DeviceClient openController(Device device) throws Exception {
    return clients.open(device, ClientOptions.builder().modelId(MODEL).build());
  }

  private static DigitalTwinInvokeCommandRequestOptions patience() {
    DigitalTwinInvokeCommandRequestOptions options = new DigitalTwinInvokeCommandRequestOptions();
    options.setConnectTimeoutInSeconds(20);
    options.setResponseTimeoutInSeconds(30);
    return options;
  }

  private static int status(RestException error) {
    return error.response().code();
  }

  @Test
  @DisplayName("a digital twin has the device's model")
  void model() throws Exception {
    Device device = Hub.createDevice();
    assertEquals("", digitalTwins.getDigitalTwin(device.getDeviceId(), BasicDigitalTwin.class).getMetadata().getModelId());
    openController(device);
    BasicDigitalTwin twin = digitalTwins.getDigitalTwin(device.getDeviceId(), BasicDigitalTwin.class);
    assertEquals(device.getDeviceId(), twin.getId());
    assertEquals(MODEL, twin.getMetadata().getModelId());
    assertTrue(digitalTwins.getDigitalTwin(device.getDeviceId(), String.class).startsWith("{\"$dtId\":"));
  }

  @Test
  @DisplayName("properties are added, replaced and removed, and the metadata is read as what it is")
  void properties() throws Exception {
    Device device = Hub.createDevice();
    digitalTwins.updateDigitalTwin(device.getDeviceId(), new UpdateOperationUtility().appendAddPropertyOperation("/targetTemperature", 35).getUpdateOperations());
    digitalTwins.updateDigitalTwin(device.getDeviceId(), new UpdateOperationUtility().appendReplacePropertyOperation("/targetTemperature", 50.5).getUpdateOperations());
    WritableProperty property = digitalTwins.getDigitalTwin(device.getDeviceId(), BasicDigitalTwin.class).getMetadata().getWriteableProperties().get("targetTemperature");
    assertEquals(50.5, property.getDesiredValue());
    assertEquals(3, property.getDesiredVersion());

    digitalTwins.updateDigitalTwin(device.getDeviceId(), new UpdateOperationUtility().appendRemovePropertyOperation("/targetTemperature").getUpdateOperations());
    assertTrue(digitalTwins.getDigitalTwin(device.getDeviceId(), BasicDigitalTwin.class).getMetadata().getWriteableProperties().isEmpty());
    RestException error = assertThrows(RestException.class, () -> digitalTwins.updateDigitalTwin(device.getDeviceId(),
        new UpdateOperationUtility().appendReplacePropertyOperation("/targetTemperature", 1).getUpdateOperations()));
    assertEquals(400, status(error));
    assertEquals("InvalidDigitalTwinPatchPath", error.response().headers().get("iothub-errorcode"));
  }

  @Test
  @DisplayName("what a device reports of a component is read with its acknowledgement")
  void reported() throws Exception {
    Device device = Hub.createDevice();
    DeviceClient client = openController(device);
    TwinCalls.subscribe(client);
    TwinCollection thermostat = new TwinCollection();
    thermostat.put("__t", "c");
    thermostat.put("targetTemperature", Map.of("value", 21.5, "ac", 200, "av", 1, "ad", "done"));
    TwinCollection reported = new TwinCollection();
    reported.put("thermostat1", thermostat);
    Date before = new Date();
    TwinCalls.report(client, reported);
    Object component = digitalTwins.getDigitalTwin(device.getDeviceId(), BasicDigitalTwin.class).getCustomProperties().get("thermostat1");
    assertEquals(Hub.json(21.5), Hub.json(component).getAsJsonObject().get("targetTemperature"));
    WritableProperty known = new ObjectMapper().readValue(
        Hub.json(component).getAsJsonObject().getAsJsonObject("$metadata").get("targetTemperature").toString(), WritableProperty.class);
    assertEquals(List.of(200, 1, "done"), List.of(known.getAckCode(), known.getAckVersion(), known.getAckDescription()));
    assertFalse(known.getLastUpdateTime().before(before));
  }

  // The way of the SDK's sample, which sends all its operations again with each new one.
  @Test
  @DisplayName("components are added, replaced and removed under the etag that was read")
  void components() throws Exception {
    Device device = Hub.createDevice();
    DigitalTwinUpdateRequestOptions options = new DigitalTwinUpdateRequestOptions();
    UpdateOperationUtility operations = new UpdateOperationUtility();
    options.setIfMatch(digitalTwins.getDigitalTwinWithResponse(device.getDeviceId(), String.class).headers().eTag());
    operations.appendAddComponentOperation("/newThermostat", component("targetTemperature", 50));
    var updated = digitalTwins.updateDigitalTwinWithResponse(device.getDeviceId(), operations.getUpdateOperations(), options);
    assertEquals(202, updated.response().code());
    assertEquals("/digitaltwins/" + device.getDeviceId(), updated.headers().location());
    assertEquals(412, status(assertThrows(RestException.class,
        () -> digitalTwins.updateDigitalTwinWithResponse(device.getDeviceId(), operations.getUpdateOperations(), options))));

    options.setIfMatch(updated.headers().eTag());
    operations.appendReplaceComponentOperation("/newThermostat", component("mode", "eco"));
    digitalTwins.updateDigitalTwinWithResponse(device.getDeviceId(), operations.getUpdateOperations(), options);
    var properties = digitalTwins.getDigitalTwin(device.getDeviceId(), BasicDigitalTwin.class).getCustomProperties();
    assertEquals(Hub.json(Map.of("$metadata", Map.of("mode", Map.of("desiredValue", "eco", "desiredVersion", 3)))), Hub.json(properties.get("newThermostat")));

    operations.appendRemoveComponentOperation("/newThermostat");
    digitalTwins.updateDigitalTwin(device.getDeviceId(), operations.getUpdateOperations());
    assertFalse(digitalTwins.getDigitalTwin(device.getDeviceId(), BasicDigitalTwin.class).getCustomProperties().containsKey("newThermostat"));
  }

  @Test
  @DisplayName("commands of the device and of a component are answered, with an argument and without")
  void commands() throws Exception {
    Device device = Hub.createDevice();
    DeviceClient client = openController(device);
    client.subscribeToMethods((name, payload, context) -> new DirectMethodResponse(name.contains("*") ? 201 : 200, name + " " + payload.getPayloadAsJsonElement()), null);
    var reboot = digitalTwins.invokeCommandWithResponse(device.getDeviceId(), "reboot", "5", patience());
    assertEquals(200, reboot.body().getStatus());
    assertEquals("\"reboot 5\"", reboot.body().getPayload(String.class));
    assertNotNull(reboot.headers().getRequestId());
    var report = digitalTwins.invokeComponentCommandWithResponse(device.getDeviceId(), "thermostat1", "getMaxMinReport", "\"2026\"", patience());
    assertEquals(201, report.body().getStatus());
    assertEquals("\"thermostat1*getMaxMinReport \\\"2026\\\"\"", report.body().getPayload(String.class));
    assertEquals("\"reboot null\"", digitalTwins.invokeCommand(device.getDeviceId(), "reboot").getPayload(String.class));
  }

  @Test
  @DisplayName("a command of a device that is offline, and a digital twin that is not there")
  void missing() throws Exception {
    Device device = Hub.createDevice();
    RestException offline = assertThrows(RestException.class, () -> digitalTwins.invokeCommand(device.getDeviceId(), "reboot", "5"));
    assertEquals(List.of(404, "DeviceNotOnline"), List.of(status(offline), offline.response().headers().get("iothub-errorcode")));
    RestException nobody = assertThrows(RestException.class, () -> digitalTwins.invokeComponentCommand("nobody", "thermostat1", "reboot"));
    assertEquals(List.of(404, "DeviceNotFound"), List.of(status(nobody), nobody.response().headers().get("iothub-errorcode")));
    // To this SDK's GET a 404 is no error but nothing.
    assertNull(digitalTwins.getDigitalTwin("nobody", BasicDigitalTwin.class));
    assertEquals(404, digitalTwins.getDigitalTwinWithResponse("nobody", BasicDigitalTwin.class).response().code());
  }
}
