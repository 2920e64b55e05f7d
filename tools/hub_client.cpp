#include "tools/hub_client.h"

#include <curl/curl.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cstdlib>
#include <utility>

#include "auth/sas_token.h"
#include "base/check.h"
#include "base/text.h"
#include "tools/terminal_text.h"

namespace nearhub::tools {
namespace {

constexpr const char* kApiVersion = "api-version=2021-04-12";
// A day, so that a test clock can be moved a good way before a token is refused and signed anew.
constexpr std::int64_t kTokenSeconds = 24 * 3600;
// The Date header has whole seconds, and the answer took a moment.
constexpr std::chrono::seconds kSameTime{2};
// What a hub forgives is more; a token signed by a clock that is this far off may be refused.
constexpr std::chrono::seconds kWrongClock{60};
// The answers of the API are far smaller; a listing of a thousand devices has about 800 KB.
constexpr std::size_t kMaxAnswerBytes = 64 * 1024 * 1024;
// A silent connection is asked for a sign of life after so long, so often, with so much patience each time: a dead one
// is noticed within 30 s.
constexpr int kIdleSeconds = 15, kProbeSeconds = 5, kProbes = 3;
constexpr int kPollMilliseconds = 1000;

CURL* easy(void* curl) { return static_cast<CURL*>(curl); }

void initialise_once() {
  static const CURLcode done = curl_global_init(CURL_GLOBAL_DEFAULT);
  NEARHUB_CHECK(done == CURLE_OK);
}

int set_probes(void*, curl_socket_t socket, curlsocktype) {
  setsockopt(socket, IPPROTO_TCP, TCP_KEEPCNT, &kProbes, sizeof kProbes);
  return CURL_SOCKOPT_OK;
}

bool is_loopback_name(std::string_view host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

}  // namespace

// One request's state; libcurl's callbacks get its address.
struct HubClient::Transfer {
  HubAnswer answer;
  const std::function<bool(std::string_view)>* sink = nullptr;  // of a stream: takes the body of a good answer
  bool stopped = false;
  curl_slist* headers = nullptr;
  curl_slist* resolve = nullptr;
  char error[CURL_ERROR_SIZE] = {};

  Transfer() = default;
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  ~Transfer() {
    curl_slist_free_all(headers);
    curl_slist_free_all(resolve);
  }

  static std::size_t on_header(char* data, std::size_t, std::size_t size, void* self) {
    HubAnswer& answer = static_cast<Transfer*>(self)->answer;
    const std::string_view line = trim({data, size});
    if (line.starts_with("HTTP/")) {
      // A new head: what came before it was an interim answer.
      answer.headers.clear();
      answer.status = std::atoi(std::string(split_once(line, ' ').second.value_or(std::string_view())).c_str());
    } else if (const auto [name, value] = split_once(line, ':'); value) {
      answer.headers.emplace_back(name, trim(*value));
    }
    return size;
  }

  static std::size_t on_body(char* data, std::size_t, std::size_t size, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    if (transfer.sink != nullptr && transfer.answer.ok()) {
      transfer.stopped = !(*transfer.sink)({data, size});
      return transfer.stopped ? 0 : size;
    }
    if (transfer.answer.body.size() + size > kMaxAnswerBytes) return 0;
    transfer.answer.body.append(data, size);
    return size;
  }
};

HubClient::HubClient(HubFlags flags, HubAddress address, const Clock& clock)
    : flags_(std::move(flags)), address_(std::move(address)), clock_(clock) {
  initialise_once();
  curl_ = curl_easy_init();
  NEARHUB_CHECK(curl_ != nullptr);
}

HubClient::~HubClient() { curl_easy_cleanup(easy(curl_)); }

Result<std::unique_ptr<HubClient>> HubClient::open(HubFlags flags, const Clock& clock) {
  auto address = find_hub(flags);
  if (!address.ok()) return std::move(address).error();
  return std::unique_ptr<HubClient>(new HubClient(std::move(flags), std::move(*address), clock));
}

Status HubClient::find_again() {
  auto address = find_hub(flags_);
  if (!address.ok()) return std::move(address).error();
  address_ = std::move(*address);
  resolved_locally_ = false;
  time_asked_ = false;
  return {};
}

Result<std::string> HubClient::token() const {
  if (!address_.login.signature.empty()) return address_.login.signature;
  auto made = auth::make_sas_token(address_.host, address_.login.key, unix_seconds(now()) + kTokenSeconds,
                                   address_.login.policy_name);
  if (!made.ok()) {
    return Error{ErrorCode::kInvalidSetting, fmt::format("{}: SharedAccessKey is not base64", address_.source)};
  }
  return made;
}

Status HubClient::prepare(Transfer& transfer, const HubRequest& request) {
  const auto authorization = request.anonymous ? Result<std::string>(std::string()) : token();
  if (!authorization.ok()) return authorization.error();
  CURL* curl = easy(curl_);
  curl_easy_reset(curl);  // keeps the connection
  const auto set = [curl](CURLoption option, auto value) {
    NEARHUB_CHECK(curl_easy_setopt(curl, option, value) == CURLE_OK);
  };

  std::string url = fmt::format("https://{}{}?{}", address_.endpoint(), request.path, kApiVersion);
  if (!request.query.empty()) url += "&" + request.query;
  set(CURLOPT_URL, url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "https");
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_USERAGENT, "nearhub/" NEARHUB_VERSION);
  set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
  if (!request.body.empty() || request.method == "PUT" || request.method == "POST" || request.method == "PATCH") {
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    set(CURLOPT_COPYPOSTFIELDS, request.body.data());
  }
  const auto add_header = [&transfer](const std::string& line) {
    transfer.headers = curl_slist_append(transfer.headers, line.c_str());
  };
  if (!request.anonymous) add_header("Authorization: " + *authorization);
  add_header("Expect:");
  add_header("Content-Type: application/json; charset=utf-8");
  for (const auto& [name, value] : request.headers) add_header(name + ": " + value);
  set(CURLOPT_HTTPHEADER, transfer.headers);

  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(std::chrono::milliseconds(kConnectTime).count()));
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(std::chrono::milliseconds(request.time_limit).count()));
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_TCP_KEEPIDLE, static_cast<long>(kIdleSeconds));
  set(CURLOPT_TCP_KEEPINTVL, static_cast<long>(kProbeSeconds));
  set(CURLOPT_SOCKOPTFUNCTION, set_probes);
  if (!address_.ca_file.empty()) {
    set(CURLOPT_CAINFO, address_.ca_file.c_str());
    if (!address_.system_store) set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  }
  // A proxy of the environment leads away from this machine.
  if (address_.from_data_folder || is_loopback_name(address_.host)) set(CURLOPT_PROXY, "");
  if (resolved_locally_) {
    transfer.resolve =
        curl_slist_append(nullptr, fmt::format("{}:{}:127.0.0.1,[::1]", address_.host, address_.port).c_str());
    set(CURLOPT_RESOLVE, transfer.resolve);
  }
  set(CURLOPT_ERRORBUFFER, transfer.error);
  set(CURLOPT_HEADERFUNCTION, Transfer::on_header);
  set(CURLOPT_HEADERDATA, &transfer);
  set(CURLOPT_WRITEFUNCTION, Transfer::on_body);
  set(CURLOPT_WRITEDATA, &transfer);
  return {};
}

Result<HubAnswer> HubClient::perform(const HubRequest& request) {
  while (true) {
    Transfer transfer;
    if (Status ready = prepare(transfer, request); !ready.ok()) return ready.error();
    const CURLcode code = curl_easy_perform(easy(curl_));
    if (code == CURLE_COULDNT_RESOLVE_HOST && resolve_locally()) continue;
    if (code != CURLE_OK) return describe_failure(code, transfer, request);
    learn_time(transfer.answer);
    return std::move(transfer.answer);
  }
}

void HubClient::ask_for_time() {
  if (!address_.test_clock || std::exchange(time_asked_, true)) return;
  HubRequest request;
  request.path = "/health";
  request.anonymous = true;
  static_cast<void>(perform(request));  // the request itself tells what is wrong
}

Result<HubAnswer> HubClient::request(const HubRequest& request) {
  ask_for_time();
  const WallTime signed_at = now();
  auto answer = perform(request);
  const bool wrong_clock = std::chrono::abs(now() - signed_at) > kWrongClock;
  if (answer.ok() && answer->status == 401 && wrong_clock && address_.login.signature.empty()) return perform(request);
  return answer;
}

Result<HubAnswer> HubClient::call(const HubRequest& request) {
  auto answer = this->request(request);
  if (!answer.ok() || answer->ok()) return answer;
  return explain_refusal(to_error(read_hub_error(*answer)), answer->status, address_);
}

Result<std::string> HubClient::get(const std::string& path, const std::string& query) {
  HubRequest request;
  request.path = path;
  request.query = query;
  auto answer = call(request);
  if (!answer.ok()) return std::move(answer).error();
  return std::move(answer->body);
}

Result<StreamEnd> HubClient::stream(const std::string& path, const std::string& query,
                                    const std::function<bool(std::string_view)>& sink, const Interrupt& interrupt,
                                    std::chrono::seconds silence_limit) {
  ask_for_time();
  HubRequest request;
  request.path = path;
  request.query = query;
  request.time_limit = std::chrono::seconds{0};  // none
  while (true) {
    Transfer transfer;
    transfer.sink = &sink;
    if (Status ready = prepare(transfer, request); !ready.ok()) return ready.error();
    if (silence_limit.count() > 0) {
      NEARHUB_CHECK(curl_easy_setopt(easy(curl_), CURLOPT_LOW_SPEED_LIMIT, 1L) == CURLE_OK);
      NEARHUB_CHECK(curl_easy_setopt(easy(curl_), CURLOPT_LOW_SPEED_TIME, static_cast<long>(silence_limit.count())) ==
                    CURLE_OK);
    }
    // The multi interface, because only it waits for the interrupt at the same time.
    CURLM* multi = curl_multi_init();
    NEARHUB_CHECK(multi != nullptr && curl_multi_add_handle(multi, easy(curl_)) == CURLM_OK);
    CURLcode code = CURLE_OK;
    bool interrupted = false;
    for (int running = 1; running > 0 && !(interrupted = interrupt.requested());) {
      NEARHUB_CHECK(curl_multi_perform(multi, &running) == CURLM_OK);
      curl_waitfd wakeup{interrupt.fd(), CURL_WAIT_POLLIN, 0};
      if (running > 0) curl_multi_poll(multi, &wakeup, 1, kPollMilliseconds, nullptr);
    }
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
      if (message->msg == CURLMSG_DONE) code = message->data.result;
    }
    curl_multi_remove_handle(multi, easy(curl_));
    curl_multi_cleanup(multi);

    if (interrupted) return StreamEnd{StreamEnd::kInterrupted, {}};
    if (transfer.stopped) return StreamEnd{StreamEnd::kStopped, {}};
    if (code == CURLE_COULDNT_RESOLVE_HOST && resolve_locally()) continue;
    if (code != CURLE_OK) return StreamEnd{StreamEnd::kLost, describe_failure(code, transfer, request).detail};
    learn_time(transfer.answer);
    if (transfer.answer.ok()) return StreamEnd{};
    const Error error = explain_refusal(to_error(read_hub_error(transfer.answer)), transfer.answer.status, address_);
    if (transfer.answer.status >= 500) return StreamEnd{StreamEnd::kLost, error.detail};
    return error;
  }
}

void HubClient::learn_time(const HubAnswer& answer) {
  const std::time_t date = curl_getdate(answer.header("Date").c_str(), nullptr);
  if (date < 0) return;
  const Ticks difference = WallTime{std::chrono::seconds{date}} - clock_.now();
  offset_ = std::chrono::abs(difference) > kSameTime ? difference : Ticks{0};
}

bool HubClient::resolve_locally() {
  if (!address_.from_data_folder || resolved_locally_) return false;
  resolved_locally_ = true;
  return true;
}

Error HubClient::describe_failure(int curl_code, const Transfer& transfer, const HubRequest& request) const {
  const std::string where = fmt::format("the hub at {} ({})", address_.endpoint(), address_.source);
  const std::string said =
      terminal_text(transfer.error[0] != '\0' ? transfer.error : curl_easy_strerror(static_cast<CURLcode>(curl_code)));
  std::string text;
  switch (curl_code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      text = fmt::format(
          "cannot reach {}: the name {} is not known here; put it into the hosts file, or use an address of the hub",
          where, address_.host);
      break;
    case CURLE_COULDNT_CONNECT:
      text = fmt::format("cannot reach {}: nobody accepts connections there; {}", where,
                         address_.from_data_folder
                             ? "the hub that wrote this file has ended: start one with `nearhub serve`"
                             : "does the hub run, and is this its HTTPS port?");
      break;
    case CURLE_OPERATION_TIMEDOUT: text = fmt::format("no answer from {} in time: {}", where, said); break;
    case CURLE_PEER_FAILED_VERIFICATION:
      text = fmt::format("cannot trust {}: {}. Its CA file goes to --ca (here: {})", where, said,
                         address_.ca_file.empty() ? "the system's certificates" : address_.ca_file);
      break;
    case CURLE_SSL_CACERT_BADFILE: text = fmt::format("cannot use the CA file {}: {}", address_.ca_file, said); break;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
      text = fmt::format("{} does not answer as a hub's HTTPS port does: {}", where, said);
      break;
    case CURLE_URL_MALFORMAT:
      text = fmt::format("{}: \"{}\" is no host name", address_.source, terminal_text(address_.login.host_name));
      break;
    default: text = fmt::format("{} {} failed at {}: {}", request.method, request.path, where, said); break;
  }
  return {ErrorCode::kIo, std::move(text)};
}

Error explain_refusal(Error error, int status, const HubAddress& address) {
  if (status == 401) {
    error.detail += fmt::format(
        "; the login came from {}; the hub wrote the reason down: `nearhub why policy:{}` on its machine shows it",
        address.source, terminal_text(address.login.policy_name));
  }
  return error;
}

}  // namespace nearhub::tools
