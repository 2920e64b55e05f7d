// Samples to figures: one line per figure, `name value unit [ratio]`, the median of its samples.
//
// The ratio is the figure divided by the one that it is compared with. Names and units never change, so that runs can be compared.
//
// THREAD: one.
#pragma once
#include <cstdio>
#include <string>
#include <vector>

namespace nearhub::bench {

// The p-th part of the values, 0..1; 0 when there are none. Reorders them.
double quantile(std::vector<double>& values, double p);

class Figures {
 public:
  // `compared_with`: the name of another figure, or empty.
  void add(const std::string& name, double value, const std::string& unit, const std::string& compared_with = {});

  // In the order of the first samples. `with_samples`: each figure is followed by a comment line with its samples, lowest first.
  void print(std::FILE* out, bool with_samples) const;

 private:
  struct Figure {
    std::string name;
    std::string unit;
    std::string compared_with;
    std::vector<double> samples;
  };
  const Figure* find(const std::string& name) const;
  static double median(const Figure& figure);

  std::vector<Figure> figures_;
};

}  // namespace nearhub::bench
