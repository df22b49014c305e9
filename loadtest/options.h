#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace inferd::loadtest {

// What to send, where and how fast; checked. A value type.
struct Options {
  std::string url = "127.0.0.1:8001";
  std::string model;
  std::string version;  // empty: the newest
  double rate = 0;      // open loop: requests a second
  int concurrency = 0;  // closed loop: requests in flight; one of the two is set
  double seconds = 10;
  double warmup_seconds = 1;  // sent but not counted
  double timeout_seconds = 30;
  int connections = 4;
  int max_in_flight = 10000;  // open loop: more are counted as not sent
  uint64_t seed = 1;
  std::map<std::string, std::string> input_files;      // input name -> .npy file
  std::map<std::string, std::vector<int64_t>> shapes;  // input name -> shape of random data
  bool check_equal = false;
  bool json = false;
};

// "NAME=VALUE" entries to a map; INVALID_ARGUMENT for one without a name or value.
absl::StatusOr<std::map<std::string, std::string>> ParsePairs(
    const std::vector<std::string>& entries);

// "1x3x224x224" to its dimensions, every one >= 0.
absl::StatusOr<std::vector<int64_t>> ParseShapeText(absl::string_view text);

// Everything in its range and exactly one of rate and concurrency set.
absl::Status CheckOptions(const Options& options);

}  // namespace inferd::loadtest
