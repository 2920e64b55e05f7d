#include "tests/clients/mosquitto_client.h"

#include <doctest/doctest.h>
#include <mosquitto.h>

#include <algorithm>
#include <utility>

namespace nearhub::test {
namespace {

constexpr int kKeepAlive_s = 60;

void require_success(int result) { REQUIRE_MESSAGE(result == MOSQ_ERR_SUCCESS, mosquitto_strerror(result)); }

}  // namespace

struct MosquittoClient::Callbacks {
  static MosquittoClient& self(void* object) { return *static_cast<MosquittoClient*>(object); }

  static void on_connect(mosquitto* client, void* object, int code, int flags) {
    self(object).change([&] { self(object).answer_ = Connected{code, (flags & 1) != 0}; });
    // The library would try again for ever.
    code == 0 ? self(object).on_connected() : static_cast<void>(mosquitto_disconnect(client));
  }
  static void on_disconnect(mosquitto* client, void* object, int reason) {
    if (reason != 0) self(object).on_lost();
    if (!self(object).settings_.reconnects) mosquitto_disconnect(client);
    self(object).change([&] { self(object).disconnected_ = true; });
  }
  static void on_message(mosquitto* /*client*/, void* object, const mosquitto_message* message) {
    self(object).DeviceClient::on_message({message->topic, std::string(static_cast<const char*>(message->payload), static_cast<std::size_t>(message->payloadlen)),
                                           message->qos, message->retain});
  }
  static void on_subscribe(mosquitto* /*client*/, void* object, int id, int /*count*/, const int* granted) {
    self(object).change([&] { self(object).granted_[id] = granted[0]; });
  }
  static void on_publish(mosquitto* /*client*/, void* object, int id) {
    self(object).change([&] { self(object).published_.insert(id); });
  }
};

MosquittoClient::MosquittoClient(ClientSettings settings) : settings_(std::move(settings)) {
  static const int initialised = mosquitto_lib_init();
  require_success(initialised);
  client_ = mosquitto_new(settings_.client_id.c_str(), settings_.clean_session, this);
  REQUIRE(client_ != nullptr);
  require_success(mosquitto_username_pw_set(client_, settings_.username.c_str(), settings_.password.empty() ? nullptr : settings_.password.c_str()));
  const auto file = [](const std::string& name) { return name.empty() ? nullptr : name.c_str(); };
  require_success(mosquitto_tls_set(client_, settings_.ca_file.c_str(), nullptr, file(settings_.certificate_file), file(settings_.key_file), nullptr));
  if (settings_.will) {
    require_success(mosquitto_will_set(client_, settings_.will->topic.c_str(), static_cast<int>(settings_.will->payload.size()), settings_.will->payload.data(),
                                       settings_.will->qos, settings_.will->retain));
  }
  mosquitto_connect_with_flags_callback_set(client_, Callbacks::on_connect);
  mosquitto_disconnect_callback_set(client_, Callbacks::on_disconnect);
  mosquitto_message_callback_set(client_, Callbacks::on_message);
  mosquitto_subscribe_callback_set(client_, Callbacks::on_subscribe);
  mosquitto_publish_callback_set(client_, Callbacks::on_publish);
}

MosquittoClient::~MosquittoClient() {
  if (looping_) {
    mosquitto_disconnect(client_);
    end_loop();
  }
  mosquitto_destroy(client_);
}

void MosquittoClient::end_loop() {
  looping_ = false;
  mosquitto_loop_stop(client_, /*force=*/false);
}

Connected MosquittoClient::connect() {
  require_success(mosquitto_connect(client_, "localhost", settings_.port, kKeepAlive_s));
  require_success(mosquitto_loop_start(client_));
  looping_ = true;
  wait([&] { return answer_.has_value(); }, "a CONNACK");
  return *answer_;
}

int MosquittoClient::subscribe(const std::string& filter, int qos) {
  int id = 0, granted = 0;
  require_success(mosquitto_subscribe(client_, &id, filter.c_str(), qos));
  wait([&] { return granted_.count(id) != 0; }, "a SUBACK");
  change([&] { granted = granted_[id]; });
  return granted;
}

void MosquittoClient::start_publish(const std::string& topic, const std::string& payload, int qos) {
  int id = 0;
  const int result = mosquitto_publish(client_, &id, topic.c_str(), static_cast<int>(payload.size()), payload.data(), qos, false);
  // Without a connection: kept for the next one.
  REQUIRE((result == MOSQ_ERR_SUCCESS || result == MOSQ_ERR_NO_CONN));
  publishing_.insert(id);
}

void MosquittoClient::wait_published() {
  wait([&] { return std::includes(published_.begin(), published_.end(), publishing_.begin(), publishing_.end()); }, "acknowledgements");
  publishing_.clear();
}

void MosquittoClient::disconnect() {
  require_success(mosquitto_disconnect(client_));
  wait([&] { return disconnected_; }, "the end of the connection");
  end_loop();
}

}  // namespace nearhub::test
