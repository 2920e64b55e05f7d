#include "tests/clients/paho_client.h"

#include <doctest/doctest.h>

#include <utility>

namespace nearhub::test {

PahoClient::PahoClient(ClientSettings settings)
    : settings_(std::move(settings)),
      // What is published without a connection waits for the next one.
      client_("ssl://localhost:" + std::to_string(settings_.port), settings_.client_id, ::mqtt::create_options(MQTTVERSION_3_1_1, 1000)) {
  client_.set_callback(*this);
}

PahoClient::~PahoClient() {
  client_.disable_callbacks();
}

Connected PahoClient::connect() {
  auto tls = ::mqtt::ssl_options_builder().trust_store(settings_.ca_file).enable_server_cert_auth(true).verify(true).finalize();
  if (!settings_.certificate_file.empty()) {
    tls.set_key_store(settings_.certificate_file);
    tls.set_private_key(settings_.key_file);
  }
  auto options = ::mqtt::connect_options_builder()
                     .mqtt_version(MQTTVERSION_3_1_1)
                     .clean_session(settings_.clean_session)
                     .user_name(settings_.username)
                     .ssl(tls)
                     .finalize();
  if (!settings_.password.empty()) options.set_password(settings_.password);
  if (settings_.reconnects) options.set_automatic_reconnect(1, 1);
  if (settings_.will) options.set_will_message(::mqtt::make_message(settings_.will->topic, settings_.will->payload, settings_.will->qos, settings_.will->retain));
  try {
    const auto token = client_.connect(options);
    const bool answered = token->wait_for(kPatience);
    REQUIRE(answered);
    return {0, token->get_connect_response().is_session_present()};
  } catch (const ::mqtt::exception& refused) {
    return {refused.get_return_code(), false};
  }
}

int PahoClient::subscribe(const std::string& filter, int qos) {
  const auto token = client_.subscribe(filter, qos);
  REQUIRE(token->wait_for(kPatience));
  return token->get_subscribe_response().get_reason_codes().at(0);
}

void PahoClient::start_publish(const std::string& topic, const std::string& payload, int qos) {
  publishing_.push_back(client_.publish(topic, payload.data(), payload.size(), qos, false));
}

void PahoClient::wait_published() {
  for (const auto& token : publishing_) REQUIRE(token->wait_for(kPatience));
  publishing_.clear();
}

void PahoClient::disconnect() { REQUIRE(client_.disconnect()->wait_for(kPatience)); }

void PahoClient::connected(const std::string& /*cause*/) { on_connected(); }

void PahoClient::connection_lost(const std::string& /*cause*/) { on_lost(); }

void PahoClient::message_arrived(::mqtt::const_message_ptr message) {
  on_message({message->get_topic(), message->to_string(), message->get_qos(), message->is_retained()});
}

}  // namespace nearhub::test
