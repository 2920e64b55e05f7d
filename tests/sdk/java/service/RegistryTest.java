package service;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.azure.core.credential.AccessToken;
import com.azure.core.credential.AzureSasCredential;
import com.azure.core.credential.TokenCredential;
import com.microsoft.azure.sdk.iot.service.auth.AuthenticationType;
import com.microsoft.azure.sdk.iot.service.auth.IotHubConnectionStringBuilder;
import com.microsoft.azure.sdk.iot.service.auth.IotHubServiceSasToken;
import com.microsoft.azure.sdk.iot.service.auth.SymmetricKey;
import com.microsoft.azure.sdk.iot.service.exceptions.IotHubConflictException;
import com.microsoft.azure.sdk.iot.service.exceptions.IotHubNotFoundException;
import com.microsoft.azure.sdk.iot.service.exceptions.IotHubPreconditionFailedException;
import com.microsoft.azure.sdk.iot.service.exceptions.IotHubUnauthorizedException;
import com.microsoft.azure.sdk.iot.service.registry.Device;
import com.microsoft.azure.sdk.iot.service.registry.DeviceConnectionState;
import com.microsoft.azure.sdk.iot.service.registry.DeviceStatus;
import com.microsoft.azure.sdk.iot.service.registry.RegistryClient;
import com.microsoft.azure.sdk.iot.service.registry.RegistryStatistics;
import java.nio.charset.StandardCharsets;
import java.time.OffsetDateTime;
import java.util.Base64;
import java.util.Locale;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;
import support.Hub;

class RegistryTest {
  private final RegistryClient registry = new RegistryClient(Hub.OWNER);

  @Test
  @DisplayName("a device is added with the keys that the SDK made, and with the hub's defaults")
  void add() throws Exception {
    Device asked = new Device(Hub.freshId("add"));
    Device device = registry.addDevice(asked);
    assertEquals(asked.getDeviceId(), device.getDeviceId());
    assertEquals(asked.getPrimaryKey(), device.getPrimaryKey());
    assertEquals(asked.getSecondaryKey(), device.getSecondaryKey());
    assertEquals(AuthenticationType.SAS, device.getAuthenticationType());
    assertEquals(DeviceStatus.Enabled, device.getStatus());
    assertNull(device.getStatusReason());
    assertEquals(DeviceConnectionState.Disconnected, device.getConnectionState());
    assertEquals(0, device.getCloudToDeviceMessageCount());
    assertTrue(device.getGenerationId().matches("\\d{18}"), device.getGenerationId());
    assertTrue(new String(Base64.getDecoder().decode(device.getETag()), StandardCharsets.US_ASCII).matches("\\d+"), device.getETag());
    assertTrue(device.getLastActivityTime().startsWith("0001-"), device.getLastActivityTime());

    Device read = registry.getDevice(device.getDeviceId());
    assertEquals(device.getETag(), read.getETag());
    assertEquals(device.getGenerationId(), read.getGenerationId());
    assertEquals(device.getPrimaryKey(), read.getPrimaryKey());
  }

  @Test
  @DisplayName("a device that asks for keys without giving any gets two of 32 bytes")
  void generatedKeys() throws Exception {
    Device asked = new Device(Hub.freshId("keys"));
    asked.getSymmetricKey().setPrimaryKey("");
    asked.getSymmetricKey().setSecondaryKey("");
    Device device = registry.addDevice(asked);
    assertEquals(32, Base64.getDecoder().decode(device.getPrimaryKey()).length);
    assertEquals(32, Base64.getDecoder().decode(device.getSecondaryKey()).length);
    assertNotEquals(device.getPrimaryKey(), device.getSecondaryKey());
  }

  @Test
  @DisplayName("adding twice is a conflict, a device that is not there is not found")
  void errors() throws Exception {
    Device device = Hub.createDevice();
    IotHubConflictException conflict = assertThrows(IotHubConflictException.class, () -> registry.addDevice(new Device(device.getDeviceId())));
    assertTrue(conflict.getMessage().contains("DeviceAlreadyExists"), conflict.getMessage());
    IotHubNotFoundException missing = assertThrows(IotHubNotFoundException.class, () -> registry.getDevice("nobody"));
    assertTrue(missing.getMessage().contains("DeviceNotFound"), missing.getMessage());
    assertThrows(IotHubNotFoundException.class, () -> registry.updateDevice(new Device("nobody")));
    assertThrows(IotHubNotFoundException.class, () -> registry.removeDevice("nobody"));
  }

  @Test
  @DisplayName("an update keeps keys, changes the status and moves the etag; a device read before it cannot be removed")
  void updateAndRemove() throws Exception {
    Device device = Hub.createDevice();
    device.setStatus(DeviceStatus.Disabled);
    Device updated = registry.updateDevice(device);
    assertEquals(DeviceStatus.Disabled, updated.getStatus());
    assertEquals(device.getPrimaryKey(), updated.getPrimaryKey());
    assertEquals(device.getGenerationId(), updated.getGenerationId());
    assertNotEquals(device.getETag(), updated.getETag());
    assertTrue(updated.getStatusUpdatedTime().compareTo("2020") > 0, updated.getStatusUpdatedTime());

    assertThrows(IotHubPreconditionFailedException.class, () -> registry.removeDevice(device));
    registry.removeDevice(updated);
    assertThrows(IotHubNotFoundException.class, () -> registry.getDevice(device.getDeviceId()));

    Device again = registry.addDevice(new Device(device.getDeviceId()));
    assertNotEquals(device.getGenerationId(), again.getGenerationId());
    registry.removeDevice(again.getDeviceId());
    assertThrows(IotHubNotFoundException.class, () -> registry.getDevice(device.getDeviceId()));
  }

  @Test
  @DisplayName("keys are exchanged by an update")
  void exchangedKeys() throws Exception {
    Device device = Hub.createDevice();
    String primary = device.getPrimaryKey();
    String secondary = device.getSecondaryKey();
    SymmetricKey exchanged = new SymmetricKey();
    exchanged.setPrimaryKey(secondary);
    exchanged.setSecondaryKey(primary);
    device.setSymmetricKey(exchanged);
    registry.updateDevice(device);
    Device read = registry.getDevice(device.getDeviceId());
    assertEquals(secondary, read.getPrimaryKey());
    assertEquals(primary, read.getSecondaryKey());
  }

  @Test
  @DisplayName("X.509 devices, by thumbprint and by authority, have no keys")
  void x509() throws Exception {
    Device selfSigned = new Device(Hub.freshId("thumb"), AuthenticationType.SELF_SIGNED);
    selfSigned.setThumbprint("0123456789ABCDEF0123456789ABCDEF01234567", "89abcdef0123456789abcdef0123456789abcdef");
    Device added = registry.addDevice(selfSigned);
    assertEquals(AuthenticationType.SELF_SIGNED, added.getAuthenticationType());
    assertEquals("0123456789ABCDEF0123456789ABCDEF01234567", added.getPrimaryThumbprint());
    assertEquals("89abcdef0123456789abcdef0123456789abcdef", added.getSecondaryThumbprint());
    assertNull(added.getPrimaryKey());

    Device byAuthority = registry.addDevice(new Device(Hub.freshId("ca"), AuthenticationType.CERTIFICATE_AUTHORITY));
    assertEquals(AuthenticationType.CERTIFICATE_AUTHORITY, byAuthority.getAuthenticationType());
    assertNull(byAuthority.getPrimaryKey());
    assertNull(byAuthority.getPrimaryThumbprint());
  }

  // This SDK puts ids into the URL as they are.
  @Test
  @DisplayName("an id with every character that a URL's path may hold travels there and back")
  void oddId() throws Exception {
    String id = Hub.freshId("odd-:.+_*!(),=@;$'");
    Device device = registry.addDevice(new Device(id));
    assertEquals(id, device.getDeviceId());
    assertEquals(id, registry.getDevice(id).getDeviceId());
    assertEquals(id, Hub.TWINS.get(id).getDeviceId());
    registry.removeDevice(device);
    assertThrows(IotHubNotFoundException.class, () -> registry.getDevice(id));
  }

  // getEnabledDeviceCount() is always 0: this SDK looks for a member "enableDeviceCount", which the cloud does not send either.
  @Test
  @DisplayName("statistics count devices, and the disabled ones")
  void statistics() throws Exception {
    Device device = Hub.createDevice();
    RegistryStatistics before = registry.getStatistics();
    device.setStatus(DeviceStatus.Disabled);
    registry.updateDevice(device);
    RegistryStatistics after = registry.getStatistics();
    assertTrue(after.getDisabledDeviceCount() >= 1, "the one that was disabled just now");
    assertTrue(before.getTotalDeviceCount() > before.getDisabledDeviceCount(), "one was enabled");
  }

  @Test
  @DisplayName("a policy that only reads may not write, and a wrong key may nothing")
  void permissions() throws Exception {
    Device device = Hub.createDevice();
    RegistryClient reader = new RegistryClient(Hub.policy("registryRead", Hub.REGISTRY_READ_KEY));
    assertEquals(device.getETag(), reader.getDevice(device.getDeviceId()).getETag());
    assertThrows(IotHubUnauthorizedException.class, () -> reader.addDevice(new Device(Hub.freshId("denied"))));
    assertThrows(IotHubUnauthorizedException.class, () -> reader.removeDevice(device));
    RegistryClient stranger = new RegistryClient(Hub.policy("iothubowner", Base64.getEncoder().encodeToString(new byte[32])));
    assertThrows(IotHubUnauthorizedException.class, () -> stranger.getDevice(device.getDeviceId()));
  }

  @Test
  @DisplayName("a client may be given a token instead of a key, or a host name in capitals")
  void otherCredentials() throws Exception {
    Device device = Hub.createDevice();
    String token = new IotHubServiceSasToken(IotHubConnectionStringBuilder.createIotHubConnectionString(Hub.OWNER)).toString();
    RegistryClient byToken = new RegistryClient(Hub.NAME, new AzureSasCredential(token));
    assertEquals(device.getETag(), byToken.getDevice(device.getDeviceId()).getETag());
    RegistryClient capitals = new RegistryClient(Hub.withHost(Hub.OWNER, Hub.NAME.toUpperCase(Locale.ROOT)));
    assertEquals(device.getETag(), capitals.getDevice(device.getDeviceId()).getETag());
    RegistryClient byAddress = new RegistryClient(Hub.withHost(Hub.OWNER, Hub.ADDRESS));
    assertEquals(device.getETag(), byAddress.getDevice(device.getDeviceId()).getETag());
  }

  @Test
  @DisplayName("a bearer token is refused as unauthorized")
  void bearer() throws Exception {
    TokenCredential credential = context -> Mono.just(new AccessToken("eyJhbGciOiJub25lIn0.e30.", OffsetDateTime.now().plusHours(1)));
    assertThrows(IotHubUnauthorizedException.class, () -> new RegistryClient(Hub.NAME, credential).getStatistics());
  }
}
