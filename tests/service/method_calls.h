// Direct methods and commands in the words that their tests share: the device takes the call and answers it.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "tests/service/samples.h"

namespace nearhub::test {

inline std::unique_ptr<MqttClient> subscribed(TestHub& hub, std::string_view identity) {
  auto device = hub.connect(identity);
  device->subscribe(1, {{"$iothub/methods/POST/#", 0}});
  device->expect<mqtt::Suback>();
  return device;
}

// Without waiting for the answer. `path` may have a query.
inline void post(TestHub& hub, HttpClient& service, std::string_view path, std::string_view body) {
  const char separator = path.find('?') == std::string_view::npos ? '?' : '&';
  service.send_raw("POST " + std::string(path) + separator + "api-version=2021-04-12 HTTP/1.1\r\nHost: localhost\r\nAuthorization: " + hub.owner_token() +
                   "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body));
}

inline void answer(MqttClient& device, const mqtt::Publish& request, std::string_view status, std::string_view payload) {
  const std::string topic = "$iothub/methods/res/" + std::string(status) + "/" + std::string(request.topic.substr(request.topic.find('?')));
  mqtt::Publish response;
  response.topic = topic;
  response.payload = payload;
  device.send(response);
}

// Sends the call, lets the device take it and answer, and gives both.
struct Call {
  std::string topic;
  std::string payload;
  HttpAnswer answer;
};
inline Call call(TestHub& hub, MqttClient& device, std::string_view path, std::string_view body, std::string_view status, std::string_view response) {
  HttpClient service(hub.tls(), hub.https());
  post(hub, service, path, body);
  Call made;
  const auto request = device.expect<mqtt::Publish>();
  made.topic = request.topic;
  made.payload = request.payload;
  answer(device, request, status, response);
  made.answer = service.read_answer();
  return made;
}

}  // namespace nearhub::test
