#include "engine/ops/random_generator.h"

#include <cmath>
#include <variant>

namespace inferd {
namespace {

int64_t SeedOf(const Attributes& attributes) {
  const Attributes::Value* value = attributes.Find("seed");
  if (value == nullptr) return 0;
  if (const auto* integer = std::get_if<int64_t>(value)) return *integer;
  const double number = attributes.Float("seed", 0);
  return std::abs(number) < 0x1p62 ? static_cast<int64_t>(number) : 0;
}

}  // namespace

RandomGenerator::RandomGenerator(const Attributes& attributes)
    : RandomGenerator(SeedOf(attributes)) {}

double RandomGenerator::Uniform() {
  const uint32_t high = static_cast<uint32_t>(engine_()) >> 5;
  const uint32_t low = static_cast<uint32_t>(engine_()) >> 6;
  return (high * 0x1p26 + low) * 0x1p-53;
}

double RandomGenerator::Normal() {
  if (spare_) {
    const double result = *spare_;
    spare_.reset();
    return result;
  }
  for (;;) {
    const double x = 2 * Uniform() - 1;
    const double y = 2 * Uniform() - 1;
    const double squares = x * x + y * y;
    if (squares >= 1 || squares == 0) continue;
    const double factor = std::sqrt(-2 * std::log(squares) / squares);
    spare_ = factor * x;
    return factor * y;
  }
}

}  // namespace inferd
