package service;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.microsoft.azure.sdk.iot.device.DeviceClient;
import com.microsoft.azure.sdk.iot.device.twin.DirectMethodResponse;
import com.microsoft.azure.sdk.iot.service.exceptions.ErrorCodeDescription;
import com.microsoft.azure.sdk.iot.service.exceptions.IotHubBadFormatException;
import com.microsoft.azure.sdk.iot.service.exceptions.IotHubGatewayTimeoutException;
import com.microsoft.azure.sdk.iot.service.exceptions.IotHubNotFoundException;
import com.microsoft.azure.sdk.iot.service.methods.DirectMethodRequestOptions;
import com.microsoft.azure.sdk.iot.service.methods.DirectMethodsClient;
import com.microsoft.azure.sdk.iot.service.registry.Device;
import com.microsoft.azure.sdk.iot.service.registry.Module;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import support.Clients;
import support.Hub;

class MethodTest {
  @RegisterExtension final Clients clients = new Clients();
  private final DirectMethodsClient methods = new DirectMethodsClient(Hub.OWNER);

  private static DirectMethodRequestOptions timeouts(int connect, int response) {
    return DirectMethodRequestOptions.builder().methodConnectTimeoutSeconds(connect).methodResponseTimeoutSeconds(response).build();
  }

  @Test
  @DisplayName("an unknown device or module is not found")
  void unknown() throws Exception {
    Device device = Hub.createDevice();
    IotHubNotFoundException error = assertThrows(IotHubNotFoundException.class, () -> methods.invoke("nobody", "x"));
    assertEquals(404001, error.getErrorCode());
    assertEquals(ErrorCodeDescription.DeviceNotFound, error.getErrorCodeDescription());
    assertThrows(IotHubNotFoundException.class, () -> methods.invoke(device.getDeviceId(), "nobody", "x"));
  }

  @Test
  @DisplayName("a device or module that is offline is not online at once, or when the connect timeout has passed")
  void offline() throws Exception {
    Device device = Hub.createDevice();
    Module module = Hub.createModule(device);
    for (int connect : new int[] {0, 1}) {
      IotHubNotFoundException error = assertThrows(IotHubNotFoundException.class, () -> methods.invoke(device.getDeviceId(), "x", timeouts(connect, 5)));
      assertEquals(404103, error.getErrorCode());
      assertEquals(ErrorCodeDescription.DeviceNotOnline, error.getErrorCodeDescription());
    }
    assertEquals(404103, assertThrows(IotHubNotFoundException.class,
        () -> methods.invoke(device.getDeviceId(), module.getId(), "x", timeouts(0, 5))).getErrorCode());
  }

  @Test
  @DisplayName("a call that may wait for the connection is answered when the device comes")
  void waits() throws Exception {
    Device device = Hub.createDevice();
    CompletableFuture<String> answer = CompletableFuture.supplyAsync(() -> {
      try {
        return methods.invoke(device.getDeviceId(), "early", timeouts(20, 20)).getPayload(String.class);
      } catch (Exception e) {
        throw new AssertionError(e);
      }
    });
    DeviceClient client = clients.open(device);
    client.subscribeToMethods((name, payload, context) -> new DirectMethodResponse(200, "late but there"), null);
    assertEquals("late but there", answer.get());
  }

  @Test
  @DisplayName("a device that does not answer in time is a gateway timeout")
  void silent() throws Exception {
    Device device = Hub.createDevice();
    DeviceClient client = clients.open(device);
    CountDownLatch over = new CountDownLatch(1);
    client.subscribeToMethods((name, payload, context) -> {
      try {
        over.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      return new DirectMethodResponse(200, null);
    }, null);
    try {
      IotHubGatewayTimeoutException error = assertThrows(IotHubGatewayTimeoutException.class,
          () -> methods.invoke(device.getDeviceId(), "silent", timeouts(5, 5)));
      assertEquals(504101, error.getErrorCode());
    } finally {
      over.countDown();
    }
  }

  @Test
  @DisplayName("timeouts out of their range are a format error")
  void ranges() throws Exception {
    Device device = Hub.createDevice();
    for (DirectMethodRequestOptions options : new DirectMethodRequestOptions[] {timeouts(0, 301), timeouts(301, 5), timeouts(0, 4)}) {
      IotHubBadFormatException error = assertThrows(IotHubBadFormatException.class, () -> methods.invoke(device.getDeviceId(), "x", options));
      assertTrue(error.getMessage().contains("imeout"), error.getMessage());
    }
  }

  @Test
  @DisplayName("the status is the device's own, whatever its number")
  void statuses() throws Exception {
    Device device = Hub.createDevice();
    DeviceClient client = clients.open(device);
    client.subscribeToMethods((name, payload, context) -> new DirectMethodResponse(payload.getPayload(Integer.class), name), null);
    for (int status : new int[] {0, 200, 404, 500, 123456}) {
      var response = methods.invoke(device.getDeviceId(), "status", DirectMethodRequestOptions.builder().payload(status)
          .methodConnectTimeoutSeconds(10).methodResponseTimeoutSeconds(20).build());
      assertEquals(status, response.getStatus());
      assertEquals("status", response.getPayload(String.class));
    }
  }
}
