// A device's calls about its twin, waited for with the SDK's own callbacks.
//
// getTwin() and updateReportedProperties() of iot-device-client 2.5.0 sometimes wait for ever although the answer came: one thread of the SDK forgets
// the callback before another calls it (Azure/azure-iot-sdk-java issue 1803). onResponseAcknowledged, which gets the same answer, is always called.
package support;

import com.microsoft.azure.sdk.iot.device.InternalClient;
import com.microsoft.azure.sdk.iot.device.IotHubStatusCode;
import com.microsoft.azure.sdk.iot.device.Message;
import com.microsoft.azure.sdk.iot.device.exceptions.IotHubClientException;
import com.microsoft.azure.sdk.iot.device.transport.IotHubTransportMessage;
import com.microsoft.azure.sdk.iot.device.twin.GetTwinCorrelatingMessageCallback;
import com.microsoft.azure.sdk.iot.device.twin.ReportedPropertiesUpdateCorrelatingMessageCallback;
import com.microsoft.azure.sdk.iot.device.twin.ReportedPropertiesUpdateResponse;
import com.microsoft.azure.sdk.iot.device.twin.Twin;
import com.microsoft.azure.sdk.iot.device.twin.TwinCollection;
import java.nio.charset.StandardCharsets;

public final class TwinCalls {
  private TwinCalls() {}

  // The SDK has a device subscribe to desired properties before anything else with its twin.
  public static Hub.Inbox<TwinCollection> subscribe(InternalClient client) throws Exception {
    Hub.Inbox<TwinCollection> updates = new Hub.Inbox<>();
    client.subscribeToDesiredProperties((twin, context) -> updates.put(twin.getDesiredProperties()), null);
    return updates;
  }

  public static Twin get(InternalClient client) throws Exception {
    Hub.Inbox<Message> answers = new Hub.Inbox<>();
    client.getTwinAsync(new GetTwinCorrelatingMessageCallback() {
      @Override
      public void onRequestQueued(Message message, Object context) {}

      @Override
      public void onRequestSent(Message message, Object context) {}

      @Override
      public void onRequestAcknowledged(Message message, Object context, IotHubClientException exception) {}

      @Override
      public void onResponseReceived(Twin twin, Message message, Object context, IotHubStatusCode status, IotHubClientException exception) {}

      @Override
      public void onResponseAcknowledged(Message message, Object context) {
        answers.put(message);
      }
    }, null);
    return Twin.createFromPropertiesJson(new String(successful(answers.take()).getBytes(), StandardCharsets.UTF_8));
  }

  // The new version of the reported properties.
  public static int report(InternalClient client, TwinCollection reported) throws Exception {
    Hub.Inbox<Message> answers = new Hub.Inbox<>();
    client.updateReportedPropertiesAsync(reported, new ReportedPropertiesUpdateCorrelatingMessageCallback() {
      @Override
      public void onRequestQueued(Message message, Object context) {}

      @Override
      public void onRequestSent(Message message, Object context) {}

      @Override
      public void onRequestAcknowledged(Message message, Object context, IotHubClientException exception) {}

      @Override
      public void onResponseReceived(Message message, Object context, IotHubStatusCode status, ReportedPropertiesUpdateResponse response,
          IotHubClientException exception) {}

      @Override
      public void onResponseAcknowledged(Message message, Object context) {
        answers.put(message);
      }
    }, null);
    return successful(answers.take()).getVersion();
  }

  private static IotHubTransportMessage successful(Message answer) throws IotHubClientException {
    IotHubTransportMessage message = (IotHubTransportMessage) answer;
    IotHubStatusCode status = IotHubStatusCode.getIotHubStatusCode(Integer.parseInt(message.getStatus()));
    if (!IotHubStatusCode.isSuccessful(status)) throw new IotHubClientException(status, new String(message.getBytes(), StandardCharsets.UTF_8));
    return message;
  }
}
