#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace inferd {

// The shortest text that reads back as the same number: plain between 1e-4 and 1e16, else
// scientific; "NaN", "INF", "-INF". Whole numbers have no decimal point.
std::string FormatNumber(double value);
std::string FormatNumber(float value);

// The whole text (blanks around it apart) as a number: plain, scientific, and in any case "nan",
// "inf", "infinity" with a sign. nullopt when it is none.
std::optional<double> ParseNumber(absl::string_view text);
// The same for whole numbers that fit.
std::optional<int64_t> ParseInteger(absl::string_view text);
std::optional<uint64_t> ParseUnsigned(absl::string_view text);

}  // namespace inferd
