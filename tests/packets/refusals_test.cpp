// The classic mistakes, one row each: what the client sends, what the wire shows, and what the refusal book says of it.
#include <doctest/doctest.h>

#include <functional>

#include "auth/sas_token.h"
#include "base/base64.h"
#include "base/url.h"
#include "broker/well_known.h"
#include "tests/packets/wire.h"

using namespace nearhub;
using namespace nearhub::test;

namespace {

// d1 and its module m1 have the well-known keys; d2 has this one.
constexpr std::string_view kOtherKey = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
constexpr std::string_view kPrimary = "the primary key of device d1";

// A hub, and what a client needs to go wrong in every way.
struct RefusalRig {
  RefusalRig() {
    hub.create("d1");
    hub.create("d1/m1");
    hub.create("d2", "{\"authentication\":{\"type\":\"sas\",\"symmetricKey\":{\"primaryKey\":\"" + std::string(kOtherKey) + "\",\"secondaryKey\":\"" + std::string(kOtherKey) + "\"}}}");
    hub.create("d1/thermostat");
    hub.create("boiler-17");
    hub.create("off", R"({"status":"disabled","statusReason":"lost in the field"})");
    hub.create("thumb", R"({"authentication":{"type":"selfSigned","x509Thumbprint":{"primaryThumbprint":"0123456789012345678901234567890123456789"}}})");
    now = unix_seconds(hub.clock().now());
  }

  std::string key_bytes() const { return *base64_decode(broker::kWellKnownPrimaryKey); }
  std::string se(std::int64_t lifetime_s = 3600) const { return std::to_string(now + lifetime_s); }
  static std::string policy_key(std::string_view policy) { return auth::find_policy(broker::well_known_policies(), policy)->primary_key; }

  // A token whose parts are put together by hand: `resource` stands in it as it is, and `signed_text` is what was signed.
  std::string token(std::string_view resource, std::string_view key, std::string_view signed_text, std::string_view expiry, std::string_view rest = {}) const {
    return "SharedAccessSignature sr=" + std::string(resource) + "&sig=" + percent_encode(base64_encode(auth::hmac_sha256(key, signed_text))) + "&se=" + std::string(expiry) +
           std::string(rest);
  }
  // A right one in all but the named parts.
  std::string token(std::string_view resource, std::string_view key, std::int64_t lifetime_s = 3600, std::string_view policy = {}) const {
    return auth::make_sas_token(resource, key, now + lifetime_s, policy).value();
  }
  std::string d1_token() const { return token("localhost/devices/d1", broker::kWellKnownPrimaryKey); }

  std::string connect(std::string_view client_id, std::string_view username, std::string_view password) const {
    return ConnectBytes{std::string(client_id), std::string(username), std::string(password)}.bytes();
  }
  // d1 with this password.
  std::string password(std::string_view password) const { return connect("d1", hub.username("d1"), password); }
  // d1 with this user name.
  std::string username(std::string_view username) const { return connect("d1", username, d1_token()); }
  std::string with_will(std::string_view topic) const {
    return packet(0x10, "00 04 4d 51 54 54 04 c6 003c"_hex + field("d1") + field(topic) + field("gone") + field(hub.username("d1")) + field(d1_token()));
  }
  // A good CONNECT of d1 and something behind it.
  std::string then(std::string_view bytes) const { return password(d1_token()) + std::string(bytes); }
  static std::string telemetry(std::string_view topic, unsigned char first_byte = 0x32) { return packet(first_byte, field(topic) + number(1) + "x"); }

  TestHub hub;
  std::int64_t now = 0;
};

// What the wire shows.
enum class Wire { kConnack1, kConnack3, kConnack5, kClosed, kConnectedThenClosed };

struct Mistake {
  std::string name;
  std::function<std::string(const RefusalRig&)> bytes;
  Wire wire;
  std::string identity;  // in the book
  std::string check;
  std::string expected;  // the beginning of what the book says
  std::string received;
  std::string advice;
};

const std::string kUserName = "a user name {host}/{deviceId}[/{moduleId}]/?api-version=2021-04-12";
const std::string kSignature = "a signature by the primary or secondary key of device d1";
const std::string kClient = "client id and user name must name the same identity";

std::vector<Mistake> mistakes() {
  const std::string sr = "localhost%2Fdevices%2Fd1";
  return {
      // --- The user name and the client id
      {"no user name", [](const RefusalRig&) { return packet(0x10, "00 04 4d 51 54 54 04 02 003c"_hex + field("d1")); }, Wire::kConnack5, "d1", "user name",
       "a user name {host}/{deviceId}/?api-version=2021-04-12", "none", ""},
      {"a user name without a device", [](const RefusalRig& r) { return r.username("localhost"); }, Wire::kConnack5, "d1", "user name", kUserName,
       "\"localhost\": it has no host and device id", ""},
      {"a user name with too many parts", [](const RefusalRig& r) { return r.username("localhost/d1/m1/x/?api-version=2021-04-12"); }, Wire::kConnack5, "d1", "user name", kUserName,
       "\"localhost/d1/m1/x/?api-version=2021-04-12\": it has more than host, device id and module id before the query", ""},
      {"a device id that cannot be", [](const RefusalRig& r) { return r.connect("d 1", "localhost/d 1/?api-version=2021-04-12", "x"); }, Wire::kConnack5, "d 1", "user name", kUserName,
       "\"localhost/d 1/?api-version=2021-04-12\": the device id contains byte 0x20 at position 2", ""},
      {"the user name of another broker", [](const RefusalRig& r) { return r.username("admin"); }, Wire::kConnack5, "d1", "user name", kUserName, "\"admin\"", ""},
      {"the cloud's host name", [](const RefusalRig& r) { return r.username("myhub.azure-devices.net/d1/?api-version=2021-04-12"); }, Wire::kConnack5, "d1", "host name",
       "a name of this hub as the first part of the user name (localhost, 127.0.0.1, ::1)", "myhub.azure-devices.net",
       "use one of them, or start the hub with --host myhub.azure-devices.net"},
      {"a provisioning client", [](const RefusalRig& r) { return r.connect("x", "0ne000A1B2C/registrations/x/api-version=2019-03-31", "x"); }, Wire::kConnack5, "registrations/x",
       "host name", "a name of this hub as the first part of the user name (localhost, 127.0.0.1, ::1)", "0ne000A1B2C",
       "this is a provisioning client; this version has no DPS: give the device its connection string"},
      {"an api-version that is no date", [](const RefusalRig& r) { return r.username("localhost/d1/?api-version=latest"); }, Wire::kConnack5, "d1", "api-version",
       "api-version=YYYY-MM-DD in the user name", "latest", ""},
      {"client id and user name differ", [](const RefusalRig& r) { return r.connect("sensor", r.hub.username("d1"), r.d1_token()); }, Wire::kConnack5, "d1", "client id",
       "client id \"d1\", as the user name says", "client id \"sensor\"", kClient},
      {"client id and user name differ in case", [](const RefusalRig& r) { return r.connect("D1", r.hub.username("d1"), r.d1_token()); }, Wire::kConnack5, "d1", "client id",
       "client id \"d1\", as the user name says", "client id \"D1\"", "ids are case-sensitive"},
      {"an empty client id", [](const RefusalRig& r) { return r.connect("", r.hub.username("d1"), r.d1_token()); }, Wire::kConnack5, "d1", "client id",
       "client id \"d1\", as the user name says", "client id \"\"", kClient},
      {"a module's client id with its device's user name", [](const RefusalRig& r) { return r.connect("d1/m1", r.hub.username("d1"), r.d1_token()); }, Wire::kConnack5, "d1",
       "client id", "client id \"d1\", as the user name says", "client id \"d1/m1\"", kClient},
      {"a module without its device in the client id", [](const RefusalRig& r) { return r.connect("m1", r.hub.username("d1/m1"), r.hub.token("d1/m1")); }, Wire::kConnack5, "d1/m1",
       "client id", "client id \"d1/m1\", as the user name says", "client id \"m1\"", kClient},

      // --- The protocol
      {"MQTT 3.1", [](const RefusalRig&) { return packet(0x10, field("MQIsdp") + "03 02 003c"_hex + field("d1")); }, Wire::kConnack1, "", "protocol",
       "protocol MQTT, level 4 (MQTT 3.1.1)", "protocol MQIsdp, level 3", "set the client to MQTT 3.1.1"},
      {"MQTT 5", [](const RefusalRig&) { return packet(0x10, field("MQTT") + "05 02 003c 00"_hex + field("d1")); }, Wire::kConnack1, "", "protocol",
       "protocol MQTT, level 4 (MQTT 3.1.1)", "protocol MQTT, level 5", "the hub has no MQTT 5: set the client to MQTT 3.1.1"},
      {"a mosquitto bridge", [](const RefusalRig&) { return packet(0x10, field("MQTT") + "84 02 003c"_hex + field("d1")); }, Wire::kConnack1, "", "protocol",
       "protocol MQTT, level 4 (MQTT 3.1.1)", "protocol MQTT, level 132", "a mosquitto bridge: set try_private false"},
      {"PUBLISH before CONNECT", [](const RefusalRig& r) { return r.telemetry("devices/d1/messages/events/"); }, Wire::kClosed, "", "protocol", "CONNECT as the first packet", "PUBLISH", ""},
      {"a CONNECT of 20 KB", [](const RefusalRig& r) { return r.password(std::string(20'000, 'x')); }, Wire::kClosed, "", "size", "a packet of at most 16384 bytes", "a packet of 200", ""},

      // --- The identity
      {"an unknown device, one letter off", [](const RefusalRig& r) { return r.connect("boiler-71", r.hub.username("boiler-71"), "x"); }, Wire::kConnack5, "boiler-71", "identity",
       "a registered device", "device boiler-71, which does not exist", "did you mean boiler-17?"},
      {"an unknown device", [](const RefusalRig& r) { return r.connect("thermometer", r.hub.username("thermometer"), "x"); }, Wire::kConnack5, "thermometer", "identity",
       "a registered device", "device thermometer, which does not exist", "create it: nearhub device create thermometer"},
      {"an unknown module, one letter off", [](const RefusalRig& r) { return r.connect("d1/termostat", r.hub.username("d1/termostat"), "x"); }, Wire::kConnack5,
       "d1/termostat", "identity", "a registered module", "module d1/termostat, which does not exist", "did you mean d1/thermostat?"},
      {"a module of an unknown device", [](const RefusalRig& r) { return r.connect("thermometer/m1", r.hub.username("thermometer/m1"), "x"); }, Wire::kConnack5, "thermometer/m1", "identity",
       "a registered module", "module thermometer/m1, which does not exist", "create it: nearhub module create thermometer/m1"},
      {"a disabled device", [](const RefusalRig& r) { return r.connect("off", r.hub.username("off"), r.hub.token("off")); }, Wire::kConnack5, "off", "status", "an enabled device",
       "device off, which is disabled: lost in the field", "enable it: nearhub device enable off"},

      // --- The password as a whole
      {"no password", [](const RefusalRig& r) { return r.password(""); }, Wire::kConnack5, "d1", "credential",
       "a SAS token as password: device d1 is registered with authentication type sas", "no password", "make a token with `nearhub sas make`"},
      {"the key itself as password", [](const RefusalRig& r) { return r.password(broker::kWellKnownPrimaryKey); }, Wire::kConnack5, "d1", "SAS format", "a SAS token",
       "a text that looks like the key itself", "sign a token with the key instead of sending it"},
      {"the connection string as password", [](const RefusalRig& r) { return r.password("HostName=localhost;DeviceId=d1;SharedAccessKey=x"); }, Wire::kConnack5, "d1", "SAS format",
       "a SAS token", "a connection string", "make a token from it"},
      {"any other text as password", [](const RefusalRig& r) { return r.password("hunter2"); }, Wire::kConnack5, "d1", "SAS format",
       "a token that begins with \"SharedAccessSignature \"", "a text of 7 bytes that begins otherwise", "make one with `nearhub sas make` and compare"},
      {"two spaces behind the scheme", [sr](const RefusalRig& r) { return r.password("SharedAccessSignature  sr=" + sr); }, Wire::kConnack5, "d1", "SAS format",
       "exactly one space behind \"SharedAccessSignature\"", "more than one", ""},
      {"a token without sr", [](const RefusalRig& r) { return r.password("SharedAccessSignature sig=x&se=1"); }, Wire::kConnack5, "d1", "SAS format", "sr, the resource",
       "a token without it", ""},
      {"a token without sig", [sr](const RefusalRig& r) { return r.password("SharedAccessSignature sr=" + sr + "&se=" + r.se()); }, Wire::kConnack5, "d1", "SAS format",
       "sig, the signature", "a token without it", "an '&' inside the signature must be sent as %26"},
      {"a token without se", [sr](const RefusalRig& r) { return r.password("SharedAccessSignature sr=" + sr + "&sig=x"); }, Wire::kConnack5, "d1", "SAS format",
       "se, the expiry in seconds since 1970", "a token without it", ""},
      {"se in milliseconds", [sr](const RefusalRig& r) { return r.password(r.token(sr, r.key_bytes(), sr + "\n" + r.se() + "000", r.se() + "000")); }, Wire::kConnack5, "d1", "SAS format",
       "se in seconds since 1970", "1", "it looks like milliseconds: divide by 1000"},
      {"se with a fraction", [sr](const RefusalRig& r) { return r.password(r.token(sr, r.key_bytes(), sr + "\n" + r.se() + ".5", r.se() + ".5")); }, Wire::kConnack5, "d1", "SAS format",
       "se in whole seconds since 1970", "\"", "round it down: floor(now) + lifetime"},
      {"a signature in hexadecimal", [sr](const RefusalRig& r) {
         return r.password("SharedAccessSignature sr=" + sr + "&sig=" + to_hex(auth::hmac_sha256(r.key_bytes(), sr + "\n" + r.se())) + "&se=" + r.se());
       }, Wire::kConnack5, "d1", "SAS format", "sig: base64 of 32 bytes", "a text of 64 characters", "it is hexadecimal"},
      {"a signature that was encoded twice", [sr](const RefusalRig& r) {
         const std::string sig = base64_encode(auth::hmac_sha256(r.key_bytes(), sr + "\n" + r.se()));
         return r.password("SharedAccessSignature sr=" + sr + "&sig=" + percent_encode(percent_encode(sig)) + "&se=" + r.se());
       }, Wire::kConnack5, "d1", "SAS format", "sig: base64 of 32 bytes", "a text of ", "it is percent-encoded twice"},

      // --- Expiry
      {"an expired token", [](const RefusalRig& r) { return r.password(r.token("localhost/devices/d1", broker::kWellKnownPrimaryKey, -7200)); }, Wire::kConnack5, "d1", "SAS expiry",
       "a token that is valid now (20", "se=1", "make a new token; check the device's clock"},

      // --- The resource
      {"sr with the cloud's host name", [](const RefusalRig& r) { return r.password(r.token("myhub.azure-devices.net/devices/d1", broker::kWellKnownPrimaryKey)); }, Wire::kConnack5, "d1",
       "host name", "sr that begins with a name of this hub (localhost", "sr=myhub.azure-devices.net/devices/d1", "use the hub's name, or start the hub with --host myhub.azure-devices.net"},
      {"sr with a scheme", [](const RefusalRig& r) { return r.password(r.token("https://localhost/devices/d1", broker::kWellKnownPrimaryKey)); }, Wire::kConnack5, "d1",
       "host name", "sr that begins with a name of this hub (localhost", "sr=https://localhost/devices/d1", "leave https:// out: sr begins with the name alone"},
      {"sr of another device", [](const RefusalRig& r) { return r.password(r.token("localhost/devices/d2", kOtherKey)); }, Wire::kConnack5, "d1", "SAS resource",
       "sr=localhost/devices/d1", "sr=localhost/devices/d2", "the token is for device d2"},
      {"sr of a device whose id begins alike", [](const RefusalRig& r) { return r.password(r.token("localhost/devices/d11", broker::kWellKnownPrimaryKey)); }, Wire::kConnack5, "d1",
       "SAS resource", "sr=localhost/devices/d1", "sr=localhost/devices/d11", "the token is for device d11"},
      {"sr in another case", [](const RefusalRig& r) { return r.password(r.token("localhost/devices/D1", broker::kWellKnownPrimaryKey)); }, Wire::kConnack5, "d1", "SAS resource",
       "sr=localhost/devices/d1", "sr=localhost/devices/D1", "ids are case-sensitive"},
      {"a token for the whole hub without a policy", [](const RefusalRig& r) { return r.password(r.token("localhost", broker::kWellKnownPrimaryKey)); }, Wire::kConnack5, "d1",
       "SAS resource", "sr=localhost/devices/d1", "sr=localhost", "a token for the whole hub needs a policy: add skn, or sign a token for this device"},
      {"a device's token for its module", [](const RefusalRig& r) { return r.connect("d1/m1", r.hub.username("d1/m1"), r.d1_token()); }, Wire::kConnack5, "d1/m1", "SAS resource",
       "sr=localhost/devices/d1/modules/m1", "sr=localhost/devices/d1", "a device's token does not open its modules: sign with the module's key for .../modules/m1"},
      {"a module's token for its device", [](const RefusalRig& r) { return r.password(r.hub.token("d1/m1")); }, Wire::kConnack5, "d1", "SAS resource",
       "sr=localhost/devices/d1", "sr=localhost/devices/d1/modules/m1", "a module's token does not open its device"},

      // --- The signature
      {"the key of another device", [](const RefusalRig& r) { return r.password(r.token("localhost/devices/d1", kOtherKey)); }, Wire::kConnack5, "d1", "SAS signature", kSignature,
       "a signature by neither", "compare the key in the client with the registered one"},
      {"the device's key for its module", [](const RefusalRig& r) {
         return r.connect("d1/m1", r.hub.username("d1/m1"), r.token("localhost/devices/d1/modules/m1", kOtherKey));
       }, Wire::kConnack5, "d1/m1", "SAS signature", "a signature by the primary or secondary key of module d1/m1", "a signature by neither", "compare the key"},
      {"the key was not decoded", [sr](const RefusalRig& r) { return r.password(r.token(sr, broker::kWellKnownPrimaryKey, sr + "\n" + r.se(), r.se())); }, Wire::kConnack5, "d1",
       "SAS signature", kSignature, "a signature by neither", "it was made with the text of " + std::string(kPrimary) + " instead of its bytes: base64-decode the key before signing"},
      {"the key was used in hexadecimal", [sr](const RefusalRig& r) { return r.password(r.token(sr, to_hex(r.key_bytes()), sr + "\n" + r.se(), r.se())); }, Wire::kConnack5, "d1",
       "SAS signature", kSignature, "a signature by neither", "it was made with " + std::string(kPrimary) + " in hexadecimal: use its bytes"},
      {"the decoded sr was signed", [sr](const RefusalRig& r) { return r.password(r.token(sr, r.key_bytes(), "localhost/devices/d1\n" + r.se(), r.se())); }, Wire::kConnack5, "d1",
       "SAS signature", kSignature, "a signature by neither", "the signature was made over the decoded sr, but sr was sent percent-encoded: sign the text that is sent"},
      {"a twice encoded sr was signed", [sr](const RefusalRig& r) { return r.password(r.token(sr, r.key_bytes(), "localhost%252Fdevices%252Fd1\n" + r.se(), r.se())); }, Wire::kConnack5,
       "d1", "SAS signature", kSignature, "a signature by neither", "the signature was made over an sr that was percent-encoded twice: sign the text that is sent"},
      {"the other case of the encoding was signed", [sr](const RefusalRig& r) { return r.password(r.token(sr, r.key_bytes(), "localhost%2fdevices%2fd1\n" + r.se(), r.se())); }, Wire::kConnack5,
       "d1", "SAS signature", kSignature, "a signature by neither", "the signature was made over sr percent-encoded in lower case"},
      {"no line feed between sr and se", [sr](const RefusalRig& r) { return r.password(r.token(sr, r.key_bytes(), sr + r.se(), r.se())); }, Wire::kConnack5, "d1", "SAS signature",
       kSignature, "a signature by neither", "the line feed between sr and se is missing in the signed text"},
      {"CR LF between sr and se", [sr](const RefusalRig& r) { return r.password(r.token(sr, r.key_bytes(), sr + "\r\n" + r.se(), r.se())); }, Wire::kConnack5, "d1", "SAS signature",
       kSignature, "a signature by neither", "the signed text has CR LF between sr and se: use LF alone"},
      {"a policy's key without skn", [](const RefusalRig& r) { return r.password(r.token("localhost/devices/d1", RefusalRig::policy_key("iothubowner"))); }, Wire::kConnack5, "d1", "SAS signature",
       kSignature, "a signature by neither", "it was made with the primary key of policy iothubowner, but skn is missing"},
      {"the device's key with a policy's name", [](const RefusalRig& r) { return r.password(r.token("localhost/devices/d1", broker::kWellKnownPrimaryKey, 3600, "device")); },
       Wire::kConnack5, "d1", "SAS signature", "a signature by the primary or secondary key of policy device", "a signature by neither",
       "it was made with " + std::string(kPrimary) + ": leave skn out"},

      // --- Policies
      {"an unknown policy", [](const RefusalRig& r) { return r.password(r.token("localhost/devices/d1", kOtherKey, 3600, "root")); }, Wire::kConnack5, "d1", "SAS policy",
       "skn naming a shared access policy of this hub", "skn=root", ""},
      {"a policy without DeviceConnect", [](const RefusalRig& r) { return r.password(r.token("localhost/devices/d1", RefusalRig::policy_key("service"), 3600, "service")); }, Wire::kConnack5, "d1",
       "permission", "a policy with DeviceConnect", "policy service with ServiceConnect", "use the policy device or iothubowner, or the device's own key"},

      // --- The will
      {"a will to another device's topic", [](const RefusalRig& r) { return r.with_will("devices/d2/messages/events/"); }, Wire::kConnack5, "d1", "topic",
       "a will topic devices/d1/messages/events/", "devices/d2/messages/events/", ""},
      {"a will to a topic of one's own making", [](const RefusalRig& r) { return r.with_will("status/offline"); }, Wire::kConnack5, "d1", "topic",
       "a will topic devices/d1/messages/events/", "status/offline", ""},

      // --- What a connected client may not do
      {"a second CONNECT", [](const RefusalRig& r) { return r.then(r.password(r.d1_token())); }, Wire::kConnectedThenClosed, "d1", "protocol",
       "a packet that a connected client may send", "CONNECT", "one CONNECT per connection"},
      {"a publish to another device", [](const RefusalRig& r) { return r.then(RefusalRig::telemetry("devices/d2/messages/events/")); }, Wire::kConnectedThenClosed, "d1", "topic",
       "a topic of the hub: devices/d1/messages/events/, or the twin and method topics", "devices/d2/messages/events/", "the ids must be those of the connection, byte for byte"},
      {"a publish to a leading slash", [](const RefusalRig& r) { return r.then(RefusalRig::telemetry("/devices/d1/messages/events/")); }, Wire::kConnectedThenClosed, "d1", "topic",
       "a topic of the hub", "/devices/d1/messages/events/", "leave out the leading slash"},
      {"a publish to a topic of one's own making", [](const RefusalRig& r) { return r.then(RefusalRig::telemetry("home/kitchen/temperature")); }, Wire::kConnectedThenClosed, "d1", "topic",
       "a topic of the hub", "home/kitchen/temperature", ""},
      {"QoS 2", [](const RefusalRig& r) { return r.then(RefusalRig::telemetry("devices/d1/messages/events/", 0x34)); }, Wire::kConnectedThenClosed, "d1", "QoS", "QoS 0 or 1",
       "QoS 2 to devices/d1/messages/events/", "the hub has no QoS 2"},
      {"a message that is too large", [](const RefusalRig& r) { return r.then(publish("devices/d1/messages/events/", std::string(262'145, 'x'))); }, Wire::kConnectedThenClosed, "d1", "size",
       "a message of at most 262144 bytes, body and properties", "262145 bytes", "send less, or upload a file"},
      {"a subscription to everything", [](const RefusalRig& r) { return r.then(subscribe(1, "#", 0)); }, Wire::kConnectedThenClosed, "d1", "filter",
       "a filter for cloud-to-device messages, twin responses, desired properties or methods of this identity", "#", "a hub is no broker: a device receives only what is meant for it"},
      {"a subscription to another device's messages", [](const RefusalRig& r) { return r.then(subscribe(1, "devices/d2/messages/devicebound/#", 0)); }, Wire::kConnectedThenClosed, "d1",
       "filter", "a filter for cloud-to-device messages", "devices/d2/messages/devicebound/#", "the ids must be those of the connection, byte for byte"},
      {"a twin request without an id", [](const RefusalRig& r) { return r.then(publish("$iothub/twin/GET/", "")); }, Wire::kConnectedThenClosed, "d1", "topic",
       "$rid in the topic: .../twin/GET/?$rid=1", "$iothub/twin/GET/", ""},
      {"a malformed packet", [](const RefusalRig& r) { return r.then("82 02 0001"_hex); }, Wire::kConnectedThenClosed, "d1", "protocol", "a well-formed MQTT 3.1.1 packet", "SUBSCRIBE", ""},
  };
}

}  // namespace

TEST_SUITE("packets") {
  TEST_CASE("refusals: each classic mistake has its answer on the wire and its sentence in the book") {
    const RefusalRig rig;
    TestHub& hub = const_cast<TestHub&>(rig.hub);
    const std::vector<Mistake> table = mistakes();
    CHECK(table.size() >= 60);
    for (const Mistake& mistake : table) {
      CAPTURE(mistake.name);
      const std::uint64_t before = hub.refusals({}, 1).empty() ? 0 : hub.refusals({}, 1)[0].sequence;
      auto client = hub.open();
      client->connection().try_send(mistake.bytes(rig));
      std::string answer = "connection closed";
      switch (mistake.wire) {
        case Wire::kConnack1: expect_bytes(*client, "20 02 00 01"_hex); answer = "CONNACK 1"; break;
        case Wire::kConnack3: expect_bytes(*client, "20 02 00 03"_hex); answer = "CONNACK 3"; break;
        case Wire::kConnack5: expect_bytes(*client, "20 02 00 05"_hex); answer = "CONNACK 5"; break;
        case Wire::kConnectedThenClosed: expect_bytes(*client, "20 02 00 00"_hex); break;
        case Wire::kClosed: break;
      }
      client->expect_closed();
      const auto newest = hub.refusals({}, 1);
      REQUIRE(newest.size() == 1);
      const auth::Refusal& refusal = newest[0];
      CHECK(refusal.sequence == before + 1);  // this one and no other
      CHECK(refusal.identity == mistake.identity);
      CHECK(refusal.answer == answer);
      CHECK(refusal.peer.starts_with("127.0.0.1:"));
      CHECK(auth::check_text(refusal.denial.check) == mistake.check);
      CHECK(refusal.denial.expected.substr(0, mistake.expected.size()) == mistake.expected);
      CHECK(refusal.denial.received.substr(0, mistake.received.size()) == mistake.received);
      if (mistake.advice.empty()) {
        CHECK(refusal.denial.advice == "");
      } else {
        CHECK(refusal.denial.advice.substr(0, mistake.advice.size()) == mistake.advice);
      }
      // No key and no signature stands in the book, whatever was sent.
      for (const std::string& secret : {std::string(broker::kWellKnownPrimaryKey), std::string(kOtherKey), std::string("hunter2"), std::string("sig=")}) {
        CHECK_FALSE(contains(refusal.denial.sentence(), secret));
      }
    }
    // After all that the device comes in as ever.
    hub.connect("d1")->expect_silence();
  }

  TEST_CASE("refusals: GET /_nearhub/refusals tells the same, newest first, of one identity or of all") {
    const RefusalRig rig;
    TestHub& hub = const_cast<TestHub&>(rig.hub);
    for (int i = 0; i < 3; ++i) {
      auto client = hub.open();
      client->send_raw(rig.password("hunter2"));
      expect_bytes(*client, "20 02 00 05"_hex);
      client->expect_closed();
    }
    auto client = hub.open();
    client->send_raw(rig.connect("boiler-71", hub.username("boiler-71"), "x"));
    expect_bytes(*client, "20 02 00 05"_hex);
    client->expect_closed();
    const std::string of_one = hub.api("GET", "/_nearhub/refusals?id=d1").body;
    CHECK(contains(of_one, R"("count":3,"identity":"d1","peer":"127.0.0.1:)"));
    CHECK(contains(of_one,
                   R"("operation":"MQTT CONNECT","check":"SAS format","errorCode":401003,"error":"IotHubUnauthorized","expected":"a token that begins with \"SharedAccessSignature \"",)"
                   R"("received":"a text of 7 bytes that begins otherwise","advice":"make one with `nearhub sas make` and compare","answer":"CONNACK 5"}])"));
    const std::string of_all = hub.api("GET", "/_nearhub/refusals").body;
    CHECK(of_all.find("\"identity\":\"boiler-71\"") < of_all.find("\"identity\":\"d1\""));
  }
}
