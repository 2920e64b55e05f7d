package service;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.microsoft.azure.sdk.iot.service.registry.Device;
import com.microsoft.azure.sdk.iot.service.registry.Module;
import com.microsoft.azure.sdk.iot.service.registry.RegistryClient;
import com.microsoft.azure.sdk.iot.service.twin.DeviceCapabilities;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import support.Hub;

class EdgeTest {
  private final RegistryClient registry = new RegistryClient(Hub.OWNER);

  private Device edge() throws Exception {
    Device device = new Device(Hub.freshId("edge"));
    DeviceCapabilities capabilities = new DeviceCapabilities();
    capabilities.setIotEdge(true);
    device.setCapabilities(capabilities);
    return registry.addDevice(device);
  }

  @Test
  @DisplayName("an edge device has a scope, its system modules and a twin that says so")
  void created() throws Exception {
    Device edge = edge();
    assertTrue(edge.getCapabilities().isIotEdge());
    assertEquals("ms-azure-iot-edge://" + edge.getDeviceId() + "-" + edge.getGenerationId(), edge.getScope());
    assertEquals(Set.of("$edgeAgent", "$edgeHub"),
        registry.getModulesOnDevice(edge.getDeviceId()).stream().map(Module::getId).collect(Collectors.toSet()));
    assertTrue(Hub.TWINS.get(edge.getDeviceId()).getCapabilities().isIotEdge()); // this SDK never reads the scope of a twin
  }

  @Test
  @DisplayName("a leaf stands below the edge device whose scope it was given, and stays there when it is updated")
  void leaf() throws Exception {
    Device edge = edge();
    Device asked = new Device(Hub.freshId("leaf"));
    asked.setScope(edge.getScope());
    Device leaf = registry.addDevice(asked);
    assertEquals(edge.getScope(), leaf.getScope());
    assertEquals(List.of(edge.getScope()), leaf.getParentScopes());
    Device updated = registry.updateDevice(leaf);
    assertEquals(edge.getScope(), updated.getScope());
    assertEquals(List.of(edge.getScope()), updated.getParentScopes());
  }
}
