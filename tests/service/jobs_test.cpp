// Import and export jobs (service-rest.md 5.8 and 8).
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/service/samples.h"

namespace nearhub::test {
namespace {

std::string folder(TestHub& hub, const std::string& container) { return hub.server().data_folder() + "/blobs/" + container; }

std::string read(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

void write(TestHub& hub, const std::string& container, const std::string& name, const std::string& text) {
  std::filesystem::create_directories(folder(hub, container));
  std::ofstream(folder(hub, container) + "/" + name, std::ios::binary) << text;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// Runs a job to its end and gives what the hub shows of it.
JsonDocument run(TestHub& hub, const std::string& body) {
  const HttpAnswer made = hub.api("POST", "/jobs/create", body);
  INFO("body: ", made.body);
  REQUIRE(made.status == 200);
  const std::string id = string_member(json_of(made), "jobId");
  CHECK(member(json_of(made), "status") == "\"enqueued\"");
  JsonDocument job;
  hub.wait_until([&] {
    job = json_of(hub.api("GET", "/jobs/" + id));
    const std::string status = string_member(job, "status");
    return status == "completed" || status == "failed" || status == "cancelled";
  }, "the end of the job");
  return job;
}

std::string import_body(const std::string& container) { return R"({"type":"import","inputBlobContainerUri":"file:///)" + container + R"(","outputBlobContainerUri":"file:///)" + container + "\"}"; }
std::string export_body(const std::string& container, const std::string& more = {}) {
  return R"({"type":"export","outputBlobContainerUri":"file:///)" + container + "\"" + more + "}";
}

}  // namespace

TEST_SUITE("service") {
  TEST_CASE("jobs: an export holds everything that an import needs to make the same hub") {
    TestHub hub;
    hub.create("d1", R"({"status":"disabled","statusReason":"ü \"quoted\""})");
    hub.create("d1/m1", R"({"managedBy":"me"})");
    hub.create("d2", R"({"authentication":{"type":"selfSigned","x509Thumbprint":{"primaryThumbprint":"00112233445566778899AABBCCDDEEFF00112233"}}})");
    CHECK(hub.api("PATCH", "/twins/d1", R"({"tags":{"a":1.0},"properties":{"desired":{"n":12345678901234567e-3}}})").status == 200);
    hub.create("e1", R"({"capabilities":{"iotEdge":true}})");
    const std::string scope = string_member(json_of(hub.api("GET", "/devices/e1")), "deviceScope");
    hub.create("a-child", R"({"deviceScope":")" + scope + "\"}");
    CHECK(hub.api("PATCH", "/twins/e1/modules/$edgeAgent", R"({"properties":{"desired":{"deployed":true}}})").status == 200);
    const JsonDocument job = run(hub, export_body("all"));
    CHECK(member(job, "status") == "\"completed\"");
    CHECK(member(job, "progress") == "100");
    CHECK(member(job, "failureReason") == "null");
    CHECK(member(job, "outputBlobContainerUri") == "absent");
    const std::string text = read(folder(hub, "all") + "/devices.txt");
    const std::vector<std::string> lines = lines_of(text);
    REQUIRE(lines.size() == 7);
    for (const std::string& line : lines) CHECK(parse_json(line).ok());
    CHECK(lines[0].starts_with(R"({"id":"e1","eTag":")"));  // parents first
    struct stat facts {};
    REQUIRE(::stat((folder(hub, "all") + "/devices.txt").c_str(), &facts) == 0);
    CHECK((facts.st_mode & 0777) == 0600);

    TestHub other;
    write(other, "in", "devices.txt", text);
    CHECK(member(run(other, import_body("in")), "status") == "\"completed\"");
    CHECK(read(folder(other, "in") + "/importErrors.log") == "");
    for (const char* path : {"/devices/d1", "/devices/d1/modules/m1", "/devices/d2", "/devices/e1", "/devices/a-child"}) {
      CAPTURE(path);
      const JsonDocument before = json_of(hub.api("GET", path)), after = json_of(other.api("GET", path));
      for (const char* name : {"authentication", "status", "statusReason", "capabilities", "deviceScope", "parentScopes", "managedBy"}) {
        CAPTURE(name);
        CHECK(member(before, name) == member(after, name));
      }
    }
    const std::string twin = other.api("GET", "/twins/d1").body;
    CHECK(twin.find(R"("tags":{"a":1.0})") != std::string::npos);
    CHECK(twin.find(R"("n":12345678901234567e-3)") != std::string::npos);
    CHECK(member(json_of(other.api("GET", "/twins/e1/modules/$edgeAgent")), "properties/desired/deployed") == "true");
  }

  TEST_CASE("jobs: without keys they are null, and the first line is for people") {
    TestHub hub;
    hub.create("d1");
    CHECK(member(run(hub, export_body("nokeys", R"(,"excludeKeysInExport":true,"outputBlobName":"d.txt")")), "excludeKeysInExport") == "true");
    const std::vector<std::string> lines = lines_of(read(folder(hub, "nokeys") + "/d.txt"));
    REQUIRE(lines.size() == 2);
    CHECK_FALSE(lines[0].starts_with("{"));
    CHECK(lines[1].find(R"("symmetricKey":{"primaryKey":null,"secondaryKey":null})") != std::string::npos);
  }

  // A child asks for its parent, at another home perhaps, and its modules do not.
  TEST_CASE("jobs: an import makes the modules of a child, whether its parent comes before it or after it") {
    TestHub hub;
    const std::string parent = R"({"id":"p","capabilities":{"iotEdge":true},"deviceScope":"ms-azure-iot-edge://p-638000000000000001"})";
    std::string children;
    for (int i = 0; i < 8; ++i) {
      const std::string id = "c" + std::to_string(i);
      children += R"({"id":")" + id + R"(","deviceScope":"ms-azure-iot-edge://p-638000000000000001"})" + "\n" + R"({"id":")" + id + R"(","moduleId":"m"})" + "\n";
    }
    for (const std::string& text : {parent + "\n" + children, children + parent + "\n"}) {
      write(hub, "in", "devices.txt", text);
      CHECK(member(run(hub, import_body("in")), "status") == "\"completed\"");
      CHECK(read(folder(hub, "in") + "/importErrors.log") == "");
      for (int i = 0; i < 8; ++i) {
        CHECK(hub.api("GET", "/devices/c" + std::to_string(i) + "/modules/m").status == 200);
        CHECK(hub.api("DELETE", "/devices/c" + std::to_string(i), {}, {{"If-Match", "*"}}).status == 204);
      }
      CHECK(hub.api("DELETE", "/devices/p", {}, {{"If-Match", "*"}}).status == 204);
    }
    // A device whose parent never comes takes its modules along.
    write(hub, "in", "devices.txt", children + "{\"id\":\"other\"}");
    CHECK(member(run(hub, import_body("in")), "status") == "\"completed\"");
    CHECK(lines_of(read(folder(hub, "in") + "/importErrors.log")).size() == 16);
    CHECK(hub.api("GET", "/devices/other").status == 200);
  }

  TEST_CASE("jobs: an import completes whatever its lines say, and tells of the bad ones in importErrors.log") {
    TestHub hub;
    hub.create("there");
    hub.create("gone");
    const std::string etag = string_member(json_of(hub.api("GET", "/devices/there")), "etag");
    write(hub, "in", "devices.txt",
          "\xEF\xBB\xBFthis file has no keys\r\n"
          "{\"id\":\"new\",\"status\":\"disabled\"}\r\n"
          "\n"
          "{\"id\":\"there\",\"importMode\":\"create\"}\n"
          "{\"id\":\"nobody\",\"importMode\":\"update\"}\n"
          "{\"id\":\"there\",\"importMode\":\"UpdateIfMatchETag\",\"eTag\":\"MQ==\"}\n"
          "{\"id\":\"there\",\"importMode\":\"updateIfMatchETag\",\"eTag\":\"" + etag + "\",\"statusReason\":\"matched\"}\n"
          "{\"id\":\"gone\",\"importMode\":\"delete\"}\n"
          "{\"id\":\"a/b\"}\n"
          "{broken\n"
          "{\"id\":\"late\",\"tags\":{\"a\":1}}");
    CHECK(member(run(hub, import_body("in")), "status") == "\"completed\"");
    CHECK(member(json_of(hub.api("GET", "/devices/new")), "status") == "\"disabled\"");
    CHECK(member(json_of(hub.api("GET", "/devices/there")), "statusReason") == "\"matched\"");
    CHECK(hub.api("GET", "/devices/gone").status == 404);
    CHECK(member(json_of(hub.api("GET", "/twins/late")), "tags/a") == "1");
    std::vector<std::string> codes;
    for (const std::string& line : lines_of(read(folder(hub, "in") + "/importErrors.log"))) {
      auto error = parse_json(line);
      REQUIRE(error.ok());
      codes.push_back(string_member(*error, "deviceId") + " " + member(*error, "errorCode"));
    }
    std::sort(codes.begin(), codes.end());
    CHECK(codes == std::vector<std::string>{" 400004", "a/b 400004", "nobody 404001", "there 409001", "there 412001"});
  }

  TEST_CASE("jobs: a container that cannot be used is refused at once, and no job is made") {
    TestHub hub;
    std::filesystem::create_directories(folder(hub, "real"));
    std::filesystem::create_directory_symlink("/tmp", folder(hub, "link"));
    write(hub, "real", "devices.txt", "");
    std::filesystem::create_symlink("/etc/hostname", folder(hub, "real") + "/linked.txt");
    for (const char* uri : {"", "file://", "file:///", "file:///../x", "file:///real/..", "file:///real/%2e%2e/y", "file:///a%2F..%2Fb", "file://host/x", "file:///link",
                            "file:///link/x", "ftp://h/c", "http://127.0.0.1:1/c?sv=1", "https://h", "file:///a b", "file:///a?x=1"}) {
      CAPTURE(uri);
      CHECK(e1(hub.api("POST", "/jobs/create", R"({"type":"export","outputBlobContainerUri":")" + std::string(uri) + "\"}")).starts_with("400 BlobContainerValidationError"));
    }
    CHECK(e1(hub.api("POST", "/jobs/create", import_body("missing"))).starts_with("400 BlobContainerValidationError"));
    for (const char* name : {"linked.txt", "../devices.txt", "missing.txt", ".."}) {
      CAPTURE(name);
      const std::string body = R"({"type":"import","inputBlobContainerUri":"file:///real","inputBlobName":")" + std::string(name) + "\"}";
      CHECK(e1(hub.api("POST", "/jobs/create", body)).starts_with("400 BlobContainerValidationError"));
    }
    CHECK(e1(hub.api("POST", "/jobs/create", export_body("real", R"(,"outputBlobName":"../devices.txt")"))).starts_with("400 BlobContainerValidationError"));
    CHECK(hub.api("GET", "/jobs").body == "[]");
    CHECK(std::filesystem::is_empty(folder(hub, "real")) == false);
  }

  TEST_CASE("jobs: a request that cannot be read is refused") {
    TestHub hub;
    for (const char* body : {"", "[]", "{}", R"({"type":"move"})", R"({"type":5})", R"({"type":"export","outputBlobContainerUri":5})",
                             R"({"type":"export","outputBlobContainerUri":"file:///x","excludeKeysInExport":"yes"})"}) {
      CAPTURE(body);
      CHECK(e1(hub.api("POST", "/jobs/create", body)).starts_with("400 ArgumentInvalid"));
    }
    CHECK(e1(hub.api("GET", "/jobs/nobody")).starts_with("404 JobNotFound"));
    CHECK(e1(hub.api("DELETE", "/jobs/nobody")).starts_with("404 JobNotFound"));
    CHECK(hub.api("GET", "/jobs", {}, {{"Authorization", hub.policy_token("service")}}).status == 401);
  }

  TEST_CASE("jobs: one at a time, and a cancelled one says so, and what it has done stays") {
    TestHub hub;
    // A pipe that nobody writes into is no file, so the work is many lines instead.
    std::string lines;
    for (int i = 0; i < 20'000; ++i) lines += "{\"id\":\"d" + std::to_string(i) + "\"}\n";
    write(hub, "in", "devices.txt", lines);
    const JsonDocument made = json_of(hub.api("POST", "/jobs/create", import_body("in")));
    const std::string id = string_member(made, "jobId");
    CHECK(e1(hub.api("POST", "/jobs/create", export_body("out"))).starts_with("403 JobQuotaExceeded"));
    CHECK(hub.api("DELETE", "/jobs/" + id).status == 204);
    CHECK(member(json_of(hub.api("GET", "/jobs/" + id)), "status") == "\"cancelled\"");
    CHECK(e1(hub.api("DELETE", "/jobs/" + id)).starts_with("405 OperationNotAllowedInCurrentState"));
    const JsonDocument after = run(hub, export_body("out"));
    CHECK(member(after, "status") == "\"completed\"");
    const std::string count = member(json_of(hub.api("GET", "/statistics/devices")), "totalDeviceCount");
    CHECK(lines_of(read(folder(hub, "out") + "/devices.txt")).size() == std::stoul(count));
    CHECK(json_of(hub.api("GET", "/jobs")).Size() == 2);
  }
}

}  // namespace nearhub::test
