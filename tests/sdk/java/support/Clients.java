package support;

import com.microsoft.azure.sdk.iot.device.ClientOptions;
import com.microsoft.azure.sdk.iot.device.DeviceClient;
import com.microsoft.azure.sdk.iot.device.InternalClient;
import com.microsoft.azure.sdk.iot.device.IotHubClientProtocol;
import com.microsoft.azure.sdk.iot.device.ModuleClient;
import com.microsoft.azure.sdk.iot.service.registry.Device;
import com.microsoft.azure.sdk.iot.service.registry.Module;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

// The device and module clients of one test, closed at its end.
public final class Clients implements AfterEachCallback {
  private final List<InternalClient> opened = new ArrayList<>();

  public DeviceClient open(Device device) throws Exception {
    return open(device, ClientOptions.builder().build());
  }

  public DeviceClient open(Device device, ClientOptions options) throws Exception {
    return opened(new DeviceClient(Hub.connectionString(device), IotHubClientProtocol.MQTT, options));
  }

  public ModuleClient open(Module module) throws Exception {
    return opened(new ModuleClient(Hub.connectionString(module), IotHubClientProtocol.MQTT));
  }

  public <T extends InternalClient> T opened(T client) throws Exception {
    opened.add(client);
    client.open(false);
    return client;
  }

  @Override
  public void afterEach(ExtensionContext context) {
    opened.forEach(InternalClient::close);
  }
}
