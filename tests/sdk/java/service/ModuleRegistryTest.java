package service;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.microsoft.azure.sdk.iot.service.auth.SymmetricKey;
import com.microsoft.azure.sdk.iot.service.exceptions.IotHubConflictException;
import com.microsoft.azure.sdk.iot.service.exceptions.IotHubNotFoundException;
import com.microsoft.azure.sdk.iot.service.exceptions.IotHubPreconditionFailedException;
import com.microsoft.azure.sdk.iot.service.registry.Device;
import com.microsoft.azure.sdk.iot.service.registry.DeviceConnectionState;
import com.microsoft.azure.sdk.iot.service.registry.Module;
import com.microsoft.azure.sdk.iot.service.registry.RegistryClient;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import support.Hub;

class ModuleRegistryTest {
  private final RegistryClient registry = new RegistryClient(Hub.OWNER);

  @Test
  @DisplayName("modules are added, read and listed")
  void addAndList() throws Exception {
    Device device = Hub.createDevice();
    assertEquals(List.of(), registry.getModulesOnDevice(device.getDeviceId()));
    Module asked = new Module(device.getDeviceId(), "one");
    Module one = registry.addModule(asked);
    assertEquals("one", one.getId());
    assertEquals(device.getDeviceId(), one.getDeviceId());
    assertEquals(asked.getPrimaryKey(), one.getPrimaryKey());
    assertEquals(DeviceConnectionState.Disconnected, one.getConnectionState());
    registry.addModule(new Module(device.getDeviceId(), "two"));
    assertEquals(one.getETag(), registry.getModule(device.getDeviceId(), "one").getETag());
    assertEquals(Set.of("one", "two"),
        registry.getModulesOnDevice(device.getDeviceId()).stream().map(Module::getId).collect(Collectors.toSet()));
  }

  @Test
  @DisplayName("a module is updated; one read before that cannot be removed")
  void updateAndRemove() throws Exception {
    Device device = Hub.createDevice();
    Module module = Hub.createModule(device);
    String keyBefore = module.getPrimaryKey();
    module.setSymmetricKey(new SymmetricKey());
    Module updated = registry.updateModule(module);
    assertEquals(module.getPrimaryKey(), updated.getPrimaryKey());
    assertNotEquals(keyBefore, updated.getPrimaryKey());
    assertNotEquals(module.getETag(), updated.getETag());
    assertThrows(IotHubPreconditionFailedException.class, () -> registry.removeModule(module));
    registry.removeModule(updated);
    assertThrows(IotHubNotFoundException.class, () -> registry.getModule(device.getDeviceId(), module.getId()));
  }

  @Test
  @DisplayName("a second module of one name is a conflict, one that is not there is not found")
  void errors() throws Exception {
    Device device = Hub.createDevice();
    Module module = Hub.createModule(device);
    assertThrows(IotHubConflictException.class, () -> registry.addModule(new Module(device.getDeviceId(), module.getId())));
    IotHubNotFoundException missing = assertThrows(IotHubNotFoundException.class, () -> registry.getModule(device.getDeviceId(), "nobody"));
    assertTrue(missing.getMessage().contains("ModuleNotFound"), missing.getMessage());
    assertThrows(IotHubNotFoundException.class, () -> registry.addModule(new Module("nobody", "m")));
    assertThrows(IotHubNotFoundException.class, () -> registry.getModulesOnDevice("nobody"));
    registry.removeModule(device.getDeviceId(), module.getId());
    assertEquals(List.of(), registry.getModulesOnDevice(device.getDeviceId()));
  }
}
