// `nearhub policy`, `nearhub job`, and what `nearhub device` can do to a device that is there.
#include <doctest/doctest.h>

#include "base/json.h"
#include "tests/tools/command_runner.h"
#include "tools/json_text.h"

using namespace nearhub;
using namespace nearhub::test;
using namespace nearhub::tools;

namespace {

std::string device(TestHub& hub, std::string_view id, std::initializer_list<std::string_view> path) {
  const HttpAnswer answer = hub.api("GET", "/devices/" + std::string(id));
  REQUIRE(answer.status == 200);
  const auto document = parse_json(answer.body);
  REQUIRE(document.ok());
  return text_at(*document, path);
}

}  // namespace

TEST_SUITE("tools") {
  TEST_CASE("policy: made, listed, changed, its keys made anew, deleted") {
    TestHub hub;
    const Outcome made = run(hub, {"policy", "create", "dash", "--rights", "RegistryRead,ServiceConnect"});
    CHECK(made.exit_code == 0);
    CHECK(made.out.starts_with("HostName=localhost:" + std::to_string(hub.https()) + ";SharedAccessKeyName=dash;SharedAccessKey="));
    CHECK(run(hub, {"policy", "create", "dash", "--rights", "RegistryRead"}).error.find("there already") != std::string::npos);
    const Outcome list = run(hub, {"policy", "list"});
    CHECK(list.out.find("dash               RegistryRead, ServiceConnect\n") != std::string::npos);
    CHECK(run(hub, {"policy", "connection-string", "dash"}).out == made.out);
    CHECK(run(hub, {"policy", "update", "dash", "--rights", "DeviceConnect"}).out == made.out);
    CHECK(run(hub, {"policy", "show", "dash"}).out == "policy  dash\nrights  DeviceConnect\n");
    CHECK(run(hub, {"policy", "show", "dash", "--json"}).out.find("\"primaryKey\":\"***\"") != std::string::npos);
    CHECK(run(hub, {"policy", "regenerate", "dash", "--key", "secondary"}).out != made.out);
    CHECK(run(hub, {"policy", "connection-string", "dash"}).out == made.out);
    CHECK(run(hub, {"policy", "regenerate", "dash", "--key", "primary"}).out != made.out);
    CHECK(run(hub, {"policy", "delete", "dash"}).exit_code == 0);
    CHECK(run(hub, {"policy", "show", "dash"}).exit_code == 1);
    CHECK(run(hub, {"policy", "create", "a b", "--rights", "RegistryRead"}).exit_code == 2);
    CHECK(run(hub, {"policy", "create", "x", "--rights", "Everything"}).error.find("expected RegistryRead") != std::string::npos);
  }

  TEST_CASE("policy: the command line still works when the owner's keys were made anew") {
    TestHub hub;
    CHECK(run(hub, {"policy", "regenerate", "iothubowner"}).exit_code == 0);
    CHECK(run(hub, {"device", "list"}).exit_code == 0);
    CHECK(run(hub, {"policy", "delete", "iothubowner"}).exit_code == 1);
  }

  TEST_CASE("device update: changes what is named and keeps all else") {
    TestHub hub;
    CHECK(run(hub, {"device", "create", "gateway", "--edge"}).exit_code == 0);
    CHECK(run(hub, {"device", "create", "d1", "--parent", "gateway", "--status-reason", "new"}).exit_code == 0);
    const std::string scope = device(hub, "gateway", {"deviceScope"});
    CHECK(device(hub, "d1", {"deviceScope"}) == scope);
    const std::string primary = device(hub, "d1", {"authentication", "symmetricKey", "primaryKey"});
    const std::string secondary = device(hub, "d1", {"authentication", "symmetricKey", "secondaryKey"});
    CHECK(run(hub, {"device", "update", "d1", "--swap-keys"}).out.starts_with("device "));
    CHECK(device(hub, "d1", {"authentication", "symmetricKey", "primaryKey"}) == secondary);
    CHECK(device(hub, "d1", {"authentication", "symmetricKey", "secondaryKey"}) == primary);
    CHECK(device(hub, "d1", {"statusReason"}) == "new");
    CHECK(device(hub, "d1", {"deviceScope"}) == scope);
    CHECK(run(hub, {"device", "update", "d1", "--no-parent", "--status-reason", ""}).exit_code == 0);
    CHECK(device(hub, "d1", {"deviceScope"}) == "");
    CHECK(device(hub, "d1", {"statusReason"}) == "");
    CHECK(run(hub, {"device", "update", "d1", "--edge", "--parent", "gateway"}).exit_code == 0);
    CHECK(device(hub, "d1", {"capabilities", "iotEdge"}) == "true");
    CHECK(run(hub, {"device", "show", "d1"}).out.find("parent           " + scope) != std::string::npos);
    CHECK(run(hub, {"device", "update", "d1", "--no-edge"}).exit_code == 0);
    CHECK(run(hub, {"device", "update", "gateway", "--parent", "d1"}).error.find("no edge device") != std::string::npos);
    CHECK(run(hub, {"device", "update", "nobody", "--edge"}).exit_code == 1);
    CHECK(run(hub, {"device", "update", "d1", "--edge", "--no-edge"}).exit_code == 2);
  }

  TEST_CASE("job: an export and an import wait for their end") {
    TestHub hub;
    hub.create("d1");
    const Outcome exported = run(hub, {"job", "export", "file:///backup"});
    CHECK(exported.exit_code == 0);
    CHECK(exported.out == "exported to devices.txt\n");
    CHECK(run(hub, {"device", "delete", "d1"}).exit_code == 0);
    const Outcome imported = run(hub, {"job", "import", "file:///backup"});
    CHECK(imported.exit_code == 0);
    CHECK(hub.api("GET", "/devices/d1").status == 200);
    const Outcome list = run(hub, {"job", "list"});
    CHECK(list.out.starts_with("JOB "));
    CHECK(list.out.find("  import  completed  100 %") != std::string::npos);
    const Outcome id = run(hub, {"job", "export", "file:///again", "--no-wait"});
    REQUIRE(id.out.size() == 37);
    CHECK(run(hub, {"job", "show", id.out.substr(0, 36)}).out.starts_with("job       " + id.out));
    CHECK(run(hub, {"job", "import", "file:///missing"}).error.find("BlobContainerValidationError") != std::string::npos);
    CHECK(run(hub, {"job", "cancel", "nobody"}).error.find("JobNotFound") != std::string::npos);
  }
}
