// A container of Azure's blob storage by its REST API: Put Block, Put Block List, ranged Get Blob, Delete Blob. Authorised by the URI's own SAS.
#include <curl/curl.h>
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/base64.h"
#include "base/text.h"
#include "base/url.h"
#include "blob/container.h"

namespace nearhub::blob {
namespace {

constexpr int kAttempts = 3;  // of a request that failed for a reason that may pass
constexpr std::size_t kMaxAnswerBytes = kBlockBytes + 64 * 1024;
constexpr std::size_t kMaxBlocks = 50'000;
constexpr long kConnectSeconds = 10;

struct HttpAnswer {
  long status = 0;
  std::string body;
  std::string error_code;  // x-ms-error-code
  std::string etag;
  std::string content_range;
  std::string content_length;
};

struct HttpCall {
  const char* method = "GET";
  std::string query;    // added to the SAS: "comp=block&blockid=..."
  std::string_view body;
  std::vector<std::string> headers;
  bool patient = true;  // tried again, and given time; not while a client waits
};

std::size_t take_body(char* data, std::size_t size, std::size_t count, void* target) {
  auto& body = static_cast<HttpAnswer*>(target)->body;
  const std::size_t bytes = size * count;
  if (body.size() + bytes > kMaxAnswerBytes) return 0;
  body.append(data, bytes);
  return bytes;
}

std::size_t take_header(char* data, std::size_t size, std::size_t count, void* target) {
  auto& answer = *static_cast<HttpAnswer*>(target);
  const auto [name, value] = split_once(std::string_view(data, size * count), ':');
  if (!value) return size * count;
  const std::pair<std::string_view, std::string*> wanted[] = {
      {"x-ms-error-code", &answer.error_code}, {"etag", &answer.etag}, {"content-range", &answer.content_range}, {"content-length", &answer.content_length}};
  for (const auto& [known, text] : wanted) {
    if (equals_ignoring_case(name, known)) *text = trim(*value);
  }
  return size * count;
}

int on_progress(void* cancelled, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const std::atomic<bool>*>(cancelled)->load() ? 1 : 0;
}

class AzureContainer final : public Container {
 public:
  AzureContainer(std::string base, std::string sas, std::string ca_file, const std::atomic<bool>& cancelled)
      : base_(std::move(base)), sas_(std::move(sas)), ca_file_(std::move(ca_file)), cancelled_(cancelled) {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
    curl_ = curl_easy_init();
  }
  ~AzureContainer() override { curl_easy_cleanup(curl_); }
  AzureContainer(const AzureContainer&) = delete;
  AzureContainer& operator=(const AzureContainer&) = delete;

  Status probe_write() override;
  Result<std::unique_ptr<Reader>> open(const std::string& name) override;
  Result<std::unique_ptr<Writer>> create(const std::string& name) override;

  // The answer when its status is one of 2xx; otherwise kBlobContainerValidationError with what the storage said.
  Result<HttpAnswer> call(const std::string& name, const HttpCall& call, std::string_view what);

 private:
  Result<HttpAnswer> call_once(const std::string& name, const HttpCall& call, std::string& failure);
  bool wait(std::chrono::milliseconds time) const;

  const std::string base_;  // without the query
  const std::string sas_;
  const std::string ca_file_;
  const std::atomic<bool>& cancelled_;
  CURL* curl_;
};

Result<HttpAnswer> AzureContainer::call_once(const std::string& name, const HttpCall& call, std::string& failure) {
  const std::string query = call.query.empty() || sas_.empty() ? sas_ + call.query : sas_ + "&" + call.query;
  const std::string url = base_ + "/" + percent_encode(name) + (query.empty() ? "" : "?" + query);
  HttpAnswer answer;
  curl_easy_reset(curl_);
  curl_slist* headers = nullptr;
  for (const std::string& header : call.headers) headers = curl_slist_append(headers, header.c_str());
  headers = curl_slist_append(headers, "Expect:");
  curl_easy_setopt(curl_, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl_, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl_, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl_, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl_, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(curl_, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  curl_easy_setopt(curl_, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl_, CURLOPT_LOW_SPEED_TIME, kStallSeconds);
  if (!call.patient) curl_easy_setopt(curl_, CURLOPT_TIMEOUT, kProbeSeconds);
  if (!ca_file_.empty()) curl_easy_setopt(curl_, CURLOPT_CAINFO, ca_file_.c_str());
  curl_easy_setopt(curl_, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl_, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(curl_, CURLOPT_XFERINFODATA, &cancelled_);
  curl_easy_setopt(curl_, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(curl_, CURLOPT_WRITEDATA, &answer);
  curl_easy_setopt(curl_, CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt(curl_, CURLOPT_HEADERDATA, &answer);
  const std::string_view method = call.method;
  if (method == "HEAD") {
    curl_easy_setopt(curl_, CURLOPT_NOBODY, 1L);
  } else if (method != "GET") {
    curl_easy_setopt(curl_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body.size()));
    curl_easy_setopt(curl_, CURLOPT_POSTFIELDS, call.body.data() == nullptr ? "" : call.body.data());
    curl_easy_setopt(curl_, CURLOPT_CUSTOMREQUEST, call.method);
  }
  const CURLcode code = curl_easy_perform(curl_);
  curl_slist_free_all(headers);
  if (code != CURLE_OK) {
    failure = curl_easy_strerror(code);
    return Error{ErrorCode::kBlobContainerValidationError, failure};
  }
  curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &answer.status);
  return answer;
}

bool AzureContainer::wait(std::chrono::milliseconds time) const {
  constexpr std::chrono::milliseconds kStep{50};
  for (; time.count() > 0 && !cancelled_; time -= kStep) std::this_thread::sleep_for(kStep);
  return !cancelled_;
}

Result<HttpAnswer> AzureContainer::call(const std::string& name, const HttpCall& call, std::string_view what) {
  std::string failure;
  for (int attempt = 1;; ++attempt) {
    auto answer = call_once(name, call, failure);
    if (cancelled_) return Error{ErrorCode::kCancelled, "cancelled"};
    const bool may_pass = !answer.ok() || answer->status >= 500 || answer->status == 429 || answer->status == 408;
    if (answer.ok() && answer->status >= 200 && answer->status < 300) return answer;
    if (may_pass && call.patient && attempt < kAttempts) {
      if (!wait(std::chrono::seconds{attempt})) return Error{ErrorCode::kCancelled, "cancelled"};
      continue;
    }
    std::string said = failure;
    if (answer.ok()) {
      const bool unauthorized = answer->status == 401 || answer->status == 403;
      said = fmt::format("{}the storage answered {} {}", unauthorized ? "Unauthorized: " : "", answer->status, printable(answer->error_code, 80));
    }
    return Error{ErrorCode::kBlobContainerValidationError, fmt::format("{} {} of {}: {}", what, name, base_, said)};
  }
}

Status AzureContainer::probe_write() {
  const std::string name = "nearhub-probe";
  HttpCall put;
  put.method = "PUT";
  put.headers = {"x-ms-blob-type: BlockBlob"};
  put.patient = false;
  if (auto written = call(name, put, "Unauthorized to write to output blob container, or it is not there. Writing"); !written.ok()) return written.error();
  HttpCall remove;
  remove.method = "DELETE";
  remove.patient = false;
  if (auto removed = call(name, remove, "Unauthorized to delete in output blob container. Deleting"); !removed.ok()) return removed.error();
  return {};
}

class AzureReader final : public Reader {
 public:
  AzureReader(AzureContainer& container, std::string name, std::uint64_t size, std::string etag)
      : container_(container), name_(std::move(name)), size_(size), etag_(std::move(etag)) {}
  std::uint64_t size() const override { return size_; }
  Result<std::string> read() override {
    if (at_ >= size_) return std::string();
    HttpCall call;
    const std::uint64_t last = std::min(at_ + kBlockBytes, size_) - 1;
    call.headers = {fmt::format("x-ms-range: bytes={}-{}", at_, last)};
    // A blob that is replaced meanwhile must not be read as half of one and half of the other.
    if (!etag_.empty()) call.headers.push_back("If-Match: " + etag_);
    auto answer = container_.call(name_, call, "reading");
    if (!answer.ok()) return std::move(answer).error();
    if (answer->body.size() != last - at_ + 1) {
      return Error{ErrorCode::kBlobContainerValidationError, fmt::format("reading {}: asked for {} bytes, got {}", name_, last - at_ + 1, answer->body.size())};
    }
    at_ = last + 1;
    return std::move(answer->body);
  }

 private:
  AzureContainer& container_;
  std::string name_;
  std::uint64_t size_;
  std::string etag_;
  std::uint64_t at_ = 0;
};

Result<std::unique_ptr<Reader>> AzureContainer::open(const std::string& name) {
  if (Status sound = check_blob_name(name); !sound.ok()) return sound.error();
  HttpCall head;
  head.method = "HEAD";
  head.patient = false;
  auto answer = call(name, head, "reading");
  if (!answer.ok()) return std::move(answer).error();
  const auto size = parse_decimal(answer->content_length);
  if (!size) return Error{ErrorCode::kBlobContainerValidationError, "the storage does not tell the size of " + name};
  return std::unique_ptr<Reader>(std::make_unique<AzureReader>(*this, name, static_cast<std::uint64_t>(*size), answer->etag));
}

class AzureWriter final : public Writer {
 public:
  AzureWriter(AzureContainer& container, std::string name) : container_(container), name_(std::move(name)) {}
  Status write(std::string_view bytes) override {
    while (!bytes.empty()) {
      const std::string_view part = bytes.substr(0, kBlockBytes - block_.size());
      block_.append(part);
      bytes.remove_prefix(part.size());
      if (block_.size() < kBlockBytes) continue;
      if (Status put = put_block(); !put.ok()) return put;
    }
    return {};
  }
  Status finish() override {
    if (!block_.empty()) {
      if (Status put = put_block(); !put.ok()) return put;
    }
    std::string list = "<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>";
    for (std::size_t i = 0; i < blocks_; ++i) list.append("<Latest>").append(block_id(i)).append("</Latest>");
    list += "</BlockList>";
    HttpCall call;
    call.method = "PUT";
    call.query = "comp=blocklist";
    call.body = list;
    call.headers = {"Content-Type: text/plain; charset=UTF-8", "x-ms-blob-content-type: text/plain; charset=utf-8"};
    auto answer = container_.call(name_, call, "writing");
    return answer.ok() ? Status() : Status(answer.error());
  }

 private:
  // All of one length, as the storage wants it.
  static std::string block_id(std::size_t index) { return base64_encode(fmt::format("{:08}", index)); }
  Status put_block() {
    if (blocks_ >= kMaxBlocks) return Error{ErrorCode::kBlobContainerValidationError, name_ + " is too long for a blob"};
    HttpCall call;
    call.method = "PUT";
    call.query = "comp=block&blockid=" + percent_encode(block_id(blocks_));
    call.body = block_;
    call.headers = {"Content-Type: application/octet-stream"};
    auto answer = container_.call(name_, call, "writing");
    if (!answer.ok()) return answer.error();
    ++blocks_;
    block_.clear();
    return {};
  }

  AzureContainer& container_;
  std::string name_;
  std::string block_;
  std::size_t blocks_ = 0;
};

Result<std::unique_ptr<Writer>> AzureContainer::create(const std::string& name) {
  if (Status sound = check_blob_name(name); !sound.ok()) return sound.error();
  return std::unique_ptr<Writer>(std::make_unique<AzureWriter>(*this, name));
}

}  // namespace

Result<std::unique_ptr<Container>> open_azure(std::string_view uri, const Settings& settings, const std::atomic<bool>& cancelled) {
  const auto [address, query] = split_once(uri, '?');
  std::string base(address);
  while (base.ends_with('/')) base.pop_back();
  const std::size_t host = base.find("://") + 3;
  const std::size_t path = base.find('/', host);
  if (path == std::string::npos || path == host || path + 1 == base.size()) {
    return Error{ErrorCode::kBlobContainerValidationError, fmt::format("\"{}\" names no container: expected https://ACCOUNT/CONTAINER?SAS", printable(base, 200))};
  }
  for (const char c : uri) {
    if (static_cast<unsigned char>(c) <= ' ' || c == '\x7f') return Error{ErrorCode::kBlobContainerValidationError, "the URI of the blob container has a space or control character"};
  }
  return std::unique_ptr<Container>(std::make_unique<AzureContainer>(std::move(base), std::string(query.value_or(std::string_view())), settings.ca_file, cancelled));
}

}  // namespace nearhub::blob
