// Text in columns, for people.
//
// THREAD: value types.
#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nearhub::tools {

// Columns as wide as their widest cell, two spaces between them. Cells are made safe for a terminal.
class Table {
 public:
  explicit Table(std::vector<std::string> headings) : rows_{std::move(headings)} {}
  // As many cells as there are headings.
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

// Lines of a name and a value, the values below each other.
class Fields {
 public:
  explicit Fields(std::size_t indent = 0) : indent_(indent) {}
  // An empty value leaves the line out.
  void add(std::string_view name, std::string_view value);
  std::string text() const;

 private:
  std::size_t indent_;
  std::vector<std::pair<std::string, std::string>> fields_;
};

}  // namespace nearhub::tools
