// Writing compact JSON, without RapidJSON's headers in every file that does.
//
//   JsonWriter json;
//   json.object().member("deviceId", id).member("status").string("enabled").end_object();
//   send(std::move(json).take());
//
// The caller keeps the order object/member/value/end right; mistakes show up in the first test that parses the text.
//
// THREAD: one thread at a time.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace nearhub {

// Appends `text` as a JSON string literal, quotes included. Bytes that are not UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view text);

class JsonWriter {
 public:
  JsonWriter() = default;
  explicit JsonWriter(std::string buffer) : out_(std::move(buffer)) {}  // appends to what is there

  JsonWriter& object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }

  JsonWriter& member(std::string_view name);  // a value follows
  JsonWriter& string(std::string_view text);
  JsonWriter& integer(std::int64_t value);
  JsonWriter& unsigned_integer(std::uint64_t value);
  JsonWriter& number(double value);  // null for infinities and NaN, which JSON cannot write
  JsonWriter& boolean(bool value);
  JsonWriter& null();
  JsonWriter& raw(std::string_view json);  // text that is JSON already

  JsonWriter& member(std::string_view name, std::string_view value) { return member(name).string(value); }
  JsonWriter& member(std::string_view name, const char* value) { return member(name).string(value); }
  JsonWriter& member(std::string_view name, std::int64_t value) { return member(name).integer(value); }
  JsonWriter& member(std::string_view name, int value) { return member(name).integer(value); }
  JsonWriter& member(std::string_view name, bool value) { return member(name).boolean(value); }

  const std::string& text() const { return out_; }
  std::string take() && { return std::move(out_); }

 private:
  void separate();
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);

  std::string out_;
  bool need_comma_ = false;
};

}  // namespace nearhub
