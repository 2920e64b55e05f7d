#include "tests/bench/figures.h"

#include <fmt/core.h>

#include <algorithm>

namespace nearhub::bench {
namespace {

// Three digits and more: machines are not more exact than that.
std::string rounded(double value) {
  if (value >= 100) return fmt::format("{:.0f}", value);
  return fmt::format("{:.{}f}", value, value >= 10 ? 1 : 2);
}

}  // namespace

double quantile(std::vector<double>& values, double p) {
  if (values.empty()) return 0;
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(p * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

double Figures::median(const Figure& figure) {
  std::vector<double> samples = figure.samples;
  return quantile(samples, 0.5);
}

const Figures::Figure* Figures::find(const std::string& name) const {
  const auto found = std::find_if(figures_.begin(), figures_.end(), [&name](const Figure& figure) { return figure.name == name; });
  return found == figures_.end() ? nullptr : &*found;
}

void Figures::add(const std::string& name, double value, const std::string& unit, const std::string& compared_with) {
  if (auto* known = const_cast<Figure*>(find(name))) {
    known->samples.push_back(value);
  } else {
    figures_.push_back({name, unit, compared_with, {value}});
  }
}

void Figures::print(std::FILE* out, bool with_samples) const {
  for (const Figure& figure : figures_) {
    const double value = median(figure);
    std::string line = fmt::format("{} {} {}", figure.name, rounded(value), figure.unit);
    const Figure* base = figure.compared_with.empty() ? nullptr : find(figure.compared_with);
    if (base != nullptr && median(*base) > 0) line += fmt::format(" {:.2f}", value / median(*base));
    line += '\n';
    if (with_samples) {
      std::vector<double> samples = figure.samples;
      std::sort(samples.begin(), samples.end());
      line += "# samples:";
      for (const double sample : samples) line += ' ' + rounded(sample);
      line += '\n';
    }
    std::fputs(line.c_str(), out);
  }
}

}  // namespace nearhub::bench
