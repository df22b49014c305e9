#include "loadtest/options.h"

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace inferd::loadtest {

absl::StatusOr<std::map<std::string, std::string>> ParsePairs(
    const std::vector<std::string>& entries) {
  std::map<std::string, std::string> pairs;
  for (const std::string& entry : entries) {
    const size_t equals = entry.rfind('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == entry.size()) {
      return absl::InvalidArgumentError(absl::StrCat("expected NAME=VALUE, got '", entry, "'"));
    }
    pairs[entry.substr(0, equals)] = entry.substr(equals + 1);
  }
  return pairs;
}

absl::StatusOr<std::vector<int64_t>> ParseShapeText(absl::string_view text) {
  std::vector<int64_t> shape;
  for (absl::string_view part : absl::StrSplit(text, 'x')) {
    int64_t dim = 0;
    if (!absl::SimpleAtoi(part, &dim) || dim < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("expected a shape such as 1x3x224x224, got '", text, "'"));
    }
    shape.push_back(dim);
  }
  return shape;
}

absl::Status CheckOptions(const Options& options) {
  const auto refuse = [](auto... parts) {
    return absl::InvalidArgumentError(absl::StrCat(parts...));
  };
  if (options.model.empty()) return refuse("--model is missing");
  if ((options.rate > 0) == (options.concurrency > 0)) {
    return refuse("expected one of --rate (open loop) and --concurrency (closed loop), above 0");
  }
  if (options.rate < 0 || options.rate > 1e6) {
    return refuse("--rate: expected at most 1000000 requests a second, got ", options.rate);
  }
  if (options.concurrency < 0 || options.concurrency > options.max_in_flight) {
    return refuse("--concurrency: expected at most --max-in-flight (", options.max_in_flight,
                  "), got ", options.concurrency);
  }
  if (!(options.seconds > 0)) return refuse("--seconds: expected more than 0");
  if (options.warmup_seconds < 0) return refuse("--warmup: expected at least 0");
  if (!(options.timeout_seconds > 0)) return refuse("--timeout: expected more than 0");
  if (options.connections < 1 || options.connections > 1000) {
    return refuse("--connections: expected 1 to 1000, got ", options.connections);
  }
  return absl::OkStatus();
}

}  // namespace inferd::loadtest
