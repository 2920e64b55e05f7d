#include "tools/table.h"

#include <algorithm>

#include "tools/terminal_text.h"

namespace nearhub::tools {
namespace {

constexpr std::size_t kGap = 2;

void append_padded(std::string& out, std::string_view text, std::size_t width) {
  out.append(text).append(width - terminal_width(text) + kGap, ' ');
}

}  // namespace

std::string Table::text() const {
  std::vector<std::size_t> widths(rows_.front().size());
  std::vector<std::vector<std::string>> rows;
  for (const auto& row : rows_) {
    auto& safe = rows.emplace_back();
    for (std::size_t i = 0; i < widths.size(); ++i) {
      safe.push_back(i < row.size() ? terminal_text(row[i]) : std::string());
      widths[i] = std::max(widths[i], terminal_width(safe.back()));
    }
  }
  std::string out;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i + 1 < row.size(); ++i) append_padded(out, row[i], widths[i]);
    out.append(row.back());
    out.erase(out.find_last_not_of(' ') + 1);  // nothing trails an empty cell
    out += '\n';
  }
  return out;
}

void Fields::add(std::string_view name, std::string_view value) {
  if (!value.empty()) fields_.emplace_back(name, terminal_text(value));
}

std::string Fields::text() const {
  std::size_t width = 0;
  for (const auto& [name, value] : fields_) width = std::max(width, terminal_width(name));
  std::string out;
  for (const auto& [name, value] : fields_) {
    out.append(indent_, ' ');
    append_padded(out, name, width);
    out.append(value).append("\n");
  }
  return out;
}

}  // namespace nearhub::tools
