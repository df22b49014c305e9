#pragma once

#include <string>

namespace inferd::bench {

// What the machine can do at most, in billions of operations (multiplications and additions) or
// bytes a second; 0 where it lacks the instructions. A value type.
struct MachinePeak {
  double fp32_gops = 0;
  double bf16_gops = 0;
  double int8_gops = 0;
  double copy_gigabytes = 0;  // read and written, of a block far larger than a core's caches

  std::string Json() const;
};

// Measures each of them for `seconds` on so many threads at once: a machine that is shared has no
// peak but the present one.
MachinePeak MeasurePeak(double seconds, int threads);
double MeasureFloatPeak(double seconds);
double MeasureCopyPeak(double seconds);

}  // namespace inferd::bench
