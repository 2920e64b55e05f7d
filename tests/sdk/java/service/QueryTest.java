package service;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.gson.JsonElement;
import com.google.gson.JsonParser;
import com.microsoft.azure.sdk.iot.service.exceptions.IotHubBadFormatException;
import com.microsoft.azure.sdk.iot.service.query.QueryClient;
import com.microsoft.azure.sdk.iot.service.query.QueryPageOptions;
import com.microsoft.azure.sdk.iot.service.query.RawQueryResponse;
import com.microsoft.azure.sdk.iot.service.query.SqlQueryBuilder;
import com.microsoft.azure.sdk.iot.service.query.TwinQueryResponse;
import com.microsoft.azure.sdk.iot.service.registry.Device;
import com.microsoft.azure.sdk.iot.service.registry.Module;
import com.microsoft.azure.sdk.iot.service.twin.Twin;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import support.Hub;

class QueryTest {
  private final QueryClient queries = new QueryClient(Hub.OWNER);

  // A tag that no other test uses, and the devices that have it, in the order of their ids.
  private record Fleet(String name, List<String> ids) {}

  private static Fleet fleet(int count) throws Exception {
    String name = Hub.freshId("fleet");
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      Device device = Hub.REGISTRY.addDevice(new Device(name + "-" + (char) ('a' + i)));
      Twin twin = new Twin(device.getDeviceId());
      twin.getTags().put("fleet", name);
      twin.getTags().put("floor", i);
      Hub.TWINS.patch(twin);
      ids.add(device.getDeviceId());
    }
    return new Fleet(name, ids);
  }

  private List<JsonElement> rows(String query) throws Exception {
    List<JsonElement> rows = new ArrayList<>();
    RawQueryResponse response = queries.queryRaw(query);
    while (response.hasNext()) rows.add(JsonParser.parseString(response.next()));
    return rows;
  }

  @Test
  @DisplayName("twins come in pages, and after the last there is none")
  void pages() throws Exception {
    Fleet fleet = fleet(5);
    TwinQueryResponse response = queries.queryTwins("SELECT * FROM devices WHERE tags.fleet = '" + fleet.name + "'", QueryPageOptions.builder().pageSize(2).build());
    assertNotNull(response.getContinuationToken());
    List<String> found = new ArrayList<>();
    while (response.hasNext()) found.add(response.next(QueryPageOptions.builder().pageSize(2).build()).getDeviceId());
    assertEquals(fleet.ids, found);
    assertNull(response.getContinuationToken());
  }

  @Test
  @DisplayName("a result that fills its page has no other behind it, an empty one has no row")
  void exactly() throws Exception {
    Fleet fleet = fleet(2);
    TwinQueryResponse full = Hub.TWINS.query("SELECT * FROM devices WHERE tags.fleet = '" + fleet.name + "'", QueryPageOptions.builder().pageSize(2).build());
    full.next();
    Twin last = full.next();
    assertEquals(fleet.ids.get(1), last.getDeviceId());
    assertEquals(Hub.json(1), Hub.json(last.getTags().get("floor")));
    assertFalse(full.hasNext());
    assertFalse(Hub.TWINS.query("SELECT * FROM devices WHERE tags.fleet = 'none of them'").hasNext());
  }

  @Test
  @DisplayName("projections, aggregates and groups come as JSON")
  void raw() throws Exception {
    Fleet fleet = fleet(4);
    String condition = "tags.fleet = '" + fleet.name + "'";
    assertEquals(List.of(Hub.json(Map.of("id", fleet.ids.get(3), "floor", 3))),
        rows("SELECT deviceId AS id, tags.floor AS floor FROM devices WHERE " + condition + " AND tags.floor > 2"));
    assertEquals(List.of(Hub.json(Map.of("n", 4))), rows("SELECT COUNT() AS n FROM devices WHERE " + condition));
    assertEquals(List.of(Hub.json(Map.of("status", "enabled", "n", 4))),
        rows("SELECT status, COUNT() AS n FROM devices WHERE " + condition + " GROUP BY status"));
  }

  @Test
  @DisplayName("what the SDK's builder writes is understood")
  void builder() throws Exception {
    Fleet fleet = fleet(2);
    String query = SqlQueryBuilder.createSqlQuery("*", SqlQueryBuilder.FromType.DEVICES, "tags.fleet='" + fleet.name + "'", null);
    assertEquals(fleet.ids.get(0), queries.queryTwins(query).next().getDeviceId());
  }

  @Test
  @DisplayName("module twins are found by their device")
  void modules() throws Exception {
    Device device = Hub.createDevice();
    Module module = Hub.createModule(device);
    TwinQueryResponse response = queries.queryTwins("SELECT * FROM devices.modules WHERE deviceId = '" + device.getDeviceId() + "'");
    Twin twin = response.next();
    assertEquals(device.getDeviceId(), twin.getDeviceId());
    assertEquals(module.getId(), twin.getModuleId());
    assertFalse(response.hasNext());
  }

  @Test
  @DisplayName("a query that is none is a format error")
  void wrong() {
    assertThrows(IotHubBadFormatException.class, () -> queries.queryTwins("SELECT * FROM devices WHERE"));
    assertThrows(IotHubBadFormatException.class, () -> queries.queryRaw("SELECT * FROM nowhere"));
  }
}
