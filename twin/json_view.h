// A JSON value where it stands, in a text that is JSON already: looked into without building a tree, so that a query reads one member of a
// stored twin at the price of skipping what stands before it.
//
// Texts are those that the hub wrote itself. One that is damaged reads as undefined where the damage is met; nothing is read outside of it.
//
// THREAD: a value type. A view is valid as long as the text that it looks at.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/json_writer.h"

namespace nearhub::twin {

// Appends a character by its number (at most U+10FFFF).
void append_utf8(std::string& out, std::uint32_t code);

class JsonView {
 public:
  enum class Kind : std::uint8_t { kUndefined, kNull, kFalse, kTrue, kNumber, kString, kArray, kObject };

  JsonView() = default;  // undefined: nothing is there
  static JsonView null() { return {Kind::kNull, {}, false}; }
  static JsonView boolean(bool b) { return {b ? Kind::kTrue : Kind::kFalse, {}, false}; }
  static JsonView number(std::string_view literal) { return {Kind::kNumber, literal, false}; }  // as JSON spells it
  static JsonView string(std::string_view characters) { return {Kind::kString, characters, false}; }
  // The value that the text is, white space around it apart.
  static JsonView of(std::string_view json);

  Kind kind() const { return kind_; }
  bool is_defined() const { return kind_ != Kind::kUndefined; }
  bool is_boolean() const { return kind_ == Kind::kTrue || kind_ == Kind::kFalse; }
  bool is_number() const { return kind_ == Kind::kNumber; }
  bool is_string() const { return kind_ == Kind::kString; }
  bool is_array() const { return kind_ == Kind::kArray; }
  bool is_object() const { return kind_ == Kind::kObject; }

  // A member of an object by its exact name; undefined when there is none.
  JsonView member(std::string_view name) const;
  // An element of an array, from 0; undefined behind its end.
  JsonView element(std::size_t index) const;

  // The elements of an array one by one:
  //   for (JsonView::Elements rest = array.elements(); auto element = rest.next();)
  class Elements {
   public:
    std::optional<JsonView> next();

   private:
    friend class JsonView;
    explicit Elements(std::string_view inside) : rest_(inside) {}
    std::string_view rest_;
  };
  Elements elements() const;  // of what is no array: none

  // The number as a double; infinities for what is too large.
  double to_double() const;
  // The literal of a number, the JSON of an array or object.
  std::string_view text() const { return text_; }
  // The characters of a string; `space` is used when they do not stand in the text as they are.
  std::string_view characters(std::string& space) const;

  // The value as it was spelled; nothing for undefined, which the caller leaves out.
  void write(JsonWriter& json) const;

 private:
  JsonView(Kind kind, std::string_view text, bool escaped) : text_(text), kind_(kind), escaped_(escaped) {}
  // The value at the beginning of `rest`, which is shortened by it. nullopt: there is none.
  static std::optional<JsonView> take(std::string_view& rest);

  std::string_view text_;  // of a string: what stands between the quotes
  Kind kind_ = Kind::kUndefined;
  bool escaped_ = false;  // text_ is a string's JSON, with escapes
};

}  // namespace nearhub::twin
