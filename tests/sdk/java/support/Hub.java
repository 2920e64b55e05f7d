// What the tests share: the hub that with_hub.py started, clients of its service API, and waiting with a deadline.
package support;

import com.google.gson.Gson;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.microsoft.azure.sdk.iot.service.auth.IotHubConnectionStringBuilder;
import com.microsoft.azure.sdk.iot.service.auth.IotHubServiceSasToken;
import com.microsoft.azure.sdk.iot.service.registry.Device;
import com.microsoft.azure.sdk.iot.service.registry.Module;
import com.microsoft.azure.sdk.iot.service.registry.RegistryClient;
import com.microsoft.azure.sdk.iot.service.twin.TwinClient;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

public final class Hub {
  public static final String NAME = "hub.local.test";
  public static final String ADDRESS = System.getenv("NEARHUB_HOST");
  public static final String CA_FILE = System.getenv("SSL_CERT_FILE");
  public static final String OWNER = withHost(JsonParser.parseString(System.getenv("NEARHUB_READY")).getAsJsonObject().get("serviceConnectionString").getAsString(), NAME);
  // docs/well-known-keys.md
  public static final String REGISTRY_READ_KEY = "ciKpckHai2DVOHu250cP+D4KawLOFcXpKVP+UBCTl1o=";
  public static final int PATIENCE_S = 30;

  public static final RegistryClient REGISTRY = new RegistryClient(OWNER);
  public static final TwinClient TWINS = new TwinClient(OWNER);

  private static final HttpClient HTTP = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private static final AtomicInteger NUMBERS = new AtomicInteger();

  private Hub() {}

  public static String withHost(String connectionString, String host) {
    return connectionString.replaceFirst("HostName=[^;]*", "HostName=" + host);
  }

  public static String policy(String name, String key) {
    return "HostName=" + NAME + ";SharedAccessKeyName=" + name + ";SharedAccessKey=" + key;
  }

  public static String freshId(String prefix) {
    return prefix + "-" + ProcessHandle.current().pid() + "-" + NUMBERS.incrementAndGet();
  }

  // A device whose keys the SDK made.
  public static Device createDevice() throws Exception {
    return REGISTRY.addDevice(new Device(freshId("java")));
  }

  public static Module createModule(Device device) throws Exception {
    return REGISTRY.addModule(new Module(device.getDeviceId(), freshId("mod")));
  }

  public static String connectionString(Device device) {
    return "HostName=" + NAME + ";DeviceId=" + device.getDeviceId() + ";SharedAccessKey=" + device.getPrimaryKey();
  }

  public static String connectionString(Module module) {
    return "HostName=" + NAME + ";DeviceId=" + module.getDeviceId() + ";ModuleId=" + module.getId() + ";SharedAccessKey=" + module.getPrimaryKey();
  }

  public record Answer(int status, String body) {
    public JsonElement json() {
      return JsonParser.parseString(body);
    }
  }

  // The service API where the SDK has no call, or one over AMQP. Headers come as name, value, name, value.
  public static Answer api(String method, String path, String body, String... headers) throws Exception {
    String token = new IotHubServiceSasToken(IotHubConnectionStringBuilder.createIotHubConnectionString(OWNER)).toString();
    HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("https://" + NAME + path + (path.contains("?") ? "&" : "?") + "api-version=2021-04-12"))
        .timeout(Duration.ofSeconds(PATIENCE_S))
        .header("Authorization", token)
        .method(method, HttpRequest.BodyPublishers.ofString(body));
    if (headers.length > 0) request.headers(headers);
    HttpResponse<String> response = HTTP.send(request.build(), HttpResponse.BodyHandlers.ofString());
    return new Answer(response.statusCode(), response.body());
  }

  // All telemetry of a device so far, as the hub stored it.
  public static List<JsonObject> eventsOf(String deviceId) throws Exception {
    Answer answer = api("GET", "/_nearhub/events?since=start&follow=false&device=" + deviceId, "");
    if (answer.status() != 200) throw new AssertionError("events: " + answer);
    List<JsonObject> events = new ArrayList<>();
    for (String line : answer.body().split("\n"))
      if (line.startsWith("data: ")) events.add(JsonParser.parseString(line.substring(6)).getAsJsonObject());
    return events;
  }

  public static JsonElement json(Object value) {
    return new Gson().toJsonTree(value);
  }

  public interface Condition {
    boolean holds() throws Exception;
  }

  // The condition asks the hub, whose answer sets the pace.
  public static void waitUntil(String what, Condition condition) throws Exception {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_S);
    while (!condition.holds()) {
      if (System.nanoTime() > deadline) throw new AssertionError("not within " + PATIENCE_S + " s: " + what);
    }
  }

  // What callbacks bring, to be taken by the test.
  public static final class Inbox<T> {
    private final BlockingQueue<T> items = new LinkedBlockingQueue<>();

    public void put(T item) {
      items.add(item);
    }

    public T take() throws InterruptedException {
      T item = items.poll(PATIENCE_S, TimeUnit.SECONDS);
      if (item == null) throw new AssertionError("nothing came within " + PATIENCE_S + " s");
      return item;
    }

    public boolean isEmpty() {
      return items.isEmpty();
    }
  }
}
