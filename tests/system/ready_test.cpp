// What a hub says once it is ready, and to whom.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "broker/data_folder.h"
#include "broker/well_known.h"
#include "tests/support/http_client.h"
#include "tests/support/hub_process.h"
#include "tests/support/test_hub.h"

using namespace nearhub;
using namespace nearhub::test;

namespace {

std::string owner_key() {
  const auto policies = broker::well_known_policies();
  return auth::find_policy(policies, "iothubowner")->primary_key;
}

HttpAnswer get(HubProcess& hub, std::string_view path) { return HttpClient(hub.tls(), hub.https()).request("GET", path); }

// The last line of a text, without its time.
std::string last_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  text.erase(0, text.rfind('\n') + 1);
  return text.substr(text.find(' ') + 1);
}

}  // namespace

TEST_SUITE("system") {
  TEST_CASE("ready file: where the hub listens, its CA, and the connection strings of the service and of the first devices") {
    const TemporaryFolder folder;
    HubProcess hub({"--data", folder.file("data"), "--device", "d1", "--device", "d2"});
    const std::string mqtts = "localhost:" + std::to_string(hub.mqtts()), https = "localhost:" + std::to_string(hub.https());
    const auto device = [&](const std::string& id) {
      return "{\"deviceId\":\"" + id + "\",\"connectionString\":\"HostName=" + mqtts + ";DeviceId=" + id +
             ";SharedAccessKey=" + broker::kWellKnownPrimaryKey + "\"}";
    };
    const std::string expected = "{\"hostName\":\"localhost\",\"pid\":" + std::to_string(hub.pid()) + ",\"endpoints\":{\"mqtts\":\"" + mqtts + "\",\"https\":\"" + https +
                                 "\"},\"caFile\":\"" + folder.file("data") + "/ca.pem\",\"serviceConnectionString\":\"HostName=" + https +
                                 ";SharedAccessKeyName=iothubowner;SharedAccessKey=" + owner_key() + "\",\"devices\":[" + device("d1") + "," + device("d2") + "]}\n";
    CHECK(hub.ready_json() == expected);
  }

  TEST_CASE("ready file: an ordinary file is there whole, readable by its owner alone, and the same as hub.json in the data folder") {
    const TemporaryFolder folder;
    const std::string file = folder.file("ready.json");
    TestHub hub([&file](broker::Config& config) { config.ready_file = file; });
    const std::string written = broker::read_file(file).value();
    CHECK(written == hub.server().ready_json());
    CHECK(written == broker::read_file(hub.server().data_folder() + "/hub.json").value());
    CHECK((std::filesystem::status(file).permissions() & std::filesystem::perms::all) == (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
    CHECK_FALSE(std::filesystem::exists(file + ".new"));
  }

  TEST_CASE("ready file: names the devices that this start was told of, and no others") {
    const TemporaryFolder folder;
    {
      HubProcess hub({"--data", folder.path(), "--device", "d1"});
      hub.send_signal(SIGTERM);
      CHECK(hub.wait() == 0);
    }
    HubProcess hub({"--data", folder.path(), "--device", "d2"});
    CHECK(hub.ready_json().find("\"deviceId\":\"d2\"") != std::string::npos);
    CHECK(hub.ready_json().find("\"deviceId\":\"d1\"") == std::string::npos);
  }

  TEST_CASE("ready file: a named pipe that nobody reads holds up nobody, and its reader gets all, however late") {
    const TemporaryFolder folder;
    const std::string path = folder.file("ready");
    REQUIRE(mkfifo(path.c_str(), 0600) == 0);
    const auto on_pipe = [&path](broker::Config& config) { config.ready_file = path; };
    TestHub hub(on_pipe);
    CHECK(hub.api("GET", "/health").status == 200);
    const int pipe = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    REQUIRE(pipe >= 0);
    std::string text;
    hub.wait_until(
        [&] {
          char buffer[4096];
          const ssize_t n = ::read(pipe, buffer, sizeof buffer);
          if (n > 0) text.append(buffer, static_cast<std::size_t>(n));
          return text.ends_with('\n');
        },
        "the text");
    ::close(pipe);
    CHECK(text == hub.server().ready_json());
    CHECK(TestHub(on_pipe).stop() == 0);
  }

  TEST_CASE("ready file: one that cannot be written ends the start with its name") {
    const TemporaryFolder folder;
    const ProcessResult result =
        run_nearhub({"serve", "--in-memory", "--well-known-keys", "--mqtts", "0", "--https", "0", "--ready-file", folder.file("missing/ready.json")});
    CHECK(result.exit_code == 1);
    CHECK(result.error.find("cannot create " + folder.file("missing/ready.json")) != std::string::npos);
  }

  TEST_CASE("ready: is the last line of a start, and the ones before it say where") {
    HubProcess hub({"--in-memory"});
    hub.wait_for_log("hub: ready\n");
    CHECK(last_line(hub.log()) == "info hub: ready");
    CHECK(hub.log().find("listening mqtts=" + std::to_string(hub.mqtts()) + " https=" + std::to_string(hub.https()) + " names=localhost\n") != std::string::npos);
  }

  TEST_CASE("ready: /health and /ready answer without credentials") {
    HubProcess hub({"--in-memory"});
    CHECK(get(hub, "/health").status == 200);
    CHECK(get(hub, "/ready").status == 200);
    CHECK(get(hub, "/devices?api-version=2021-04-12").status == 401);
  }
}
