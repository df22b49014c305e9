#pragma once

#include <optional>

#include "absl/strings/string_view.h"
#include "config/engine_config.h"

namespace inferd {

// "fp32", "bf16", "fp16", "int8" or "auto"; nullopt for anything else.
std::optional<Precision> ParsePrecision(absl::string_view text);
// The text that ParsePrecision reads.
absl::string_view NameOf(Precision precision);

}  // namespace inferd
