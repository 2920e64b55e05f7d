package service;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.microsoft.azure.sdk.iot.service.configurations.Configuration;
import com.microsoft.azure.sdk.iot.service.configurations.ConfigurationContent;
import com.microsoft.azure.sdk.iot.service.configurations.ConfigurationMetrics;
import com.microsoft.azure.sdk.iot.service.configurations.ConfigurationsClient;
import com.microsoft.azure.sdk.iot.service.exceptions.IotHubNotFoundException;
import com.microsoft.azure.sdk.iot.service.registry.Device;
import com.microsoft.azure.sdk.iot.service.twin.DeviceCapabilities;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import support.Hub;

class ConfigurationTest {
  private final ConfigurationsClient configurations = new ConfigurationsClient(Hub.OWNER);

  private Configuration chiller(String fleet) {
    Configuration wanted = new Configuration(Hub.freshId("chiller"));
    ConfigurationContent content = new ConfigurationContent();
    content.setDeviceContent(Map.of("properties.desired.chiller", Map.of("temp", 66)));
    wanted.setContent(content);
    wanted.setTargetCondition("tags.fleet = '" + fleet + "'");
    wanted.setPriority(10);
    wanted.setLabels(new HashMap<>(Map.of("by", "java")));
    ConfigurationMetrics metrics = new ConfigurationMetrics();
    metrics.setQueries(Map.of("hot", "SELECT deviceId FROM devices WHERE properties.reported.temp > 70"));
    wanted.setMetrics(metrics);
    return wanted;
  }

  private static JsonObject twin(String path) throws Exception {
    return Hub.api("GET", "/twins/" + path, "").json().getAsJsonObject();
  }

  @Test
  @DisplayName("a configuration is created, read, listed, replaced and deleted")
  void life() throws Exception {
    Configuration created = configurations.create(chiller(Hub.freshId("fleet")));
    assertEquals(10, created.getPriority());
    assertEquals("java", created.getLabels().get("by"));
    Configuration read = configurations.get(created.getId());
    assertEquals(created.getEtag(), read.getEtag());
    assertEquals(0, read.getSystemMetrics().getResults().get("targetedCount"));
    assertTrue(configurations.get(100).stream().anyMatch(each -> each.getId().equals(created.getId())));
    read.setPriority(20);
    assertEquals(20, configurations.replace(read).getPriority());
    configurations.delete(created.getId());
    assertThrows(IotHubNotFoundException.class, () -> configurations.get(created.getId()));
  }

  @Test
  @DisplayName("a configuration is applied to the devices that match")
  void applied() throws Exception {
    String fleet = Hub.freshId("fleet");
    Device device = Hub.createDevice();
    Hub.api("PATCH", "/twins/" + device.getDeviceId(), "{\"tags\":{\"fleet\":\"" + fleet + "\"}}");
    Configuration created = configurations.create(chiller(fleet));
    JsonObject twin = twin(device.getDeviceId());
    assertEquals(66, twin.getAsJsonObject("properties").getAsJsonObject("desired").getAsJsonObject("chiller").get("temp").getAsInt());
    assertEquals("Applied", twin.getAsJsonObject("configurations").getAsJsonObject(created.getId()).get("status").getAsString());
    assertTrue(Hub.TWINS.get(device.getDeviceId()).getConfigurations().containsKey(created.getId()));
    assertEquals(1, configurations.get(created.getId()).getSystemMetrics().getResults().get("appliedCount"));
    configurations.delete(created);
  }

  @Test
  @DisplayName("content is applied to an edge device")
  void content() throws Exception {
    Device device = new Device(Hub.freshId("edge"));
    DeviceCapabilities capabilities = new DeviceCapabilities();
    capabilities.setIotEdge(true);
    device.setCapabilities(capabilities);
    Hub.REGISTRY.addDevice(device);
    ConfigurationContent content = new ConfigurationContent();
    content.setModulesContent(Map.of("$edgeAgent", Map.of("properties.desired", Map.of("schemaVersion", "1.0", "list", List.of(1, 2)))));
    configurations.applyConfigurationContentOnDevice(device.getDeviceId(), content);
    JsonObject desired = twin(device.getDeviceId() + "/modules/$edgeAgent").getAsJsonObject("properties").getAsJsonObject("desired");
    assertEquals("1.0", desired.get("schemaVersion").getAsString());
  }
}
