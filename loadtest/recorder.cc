#include "loadtest/recorder.h"

#include <utility>

namespace inferd::loadtest {
namespace {

// The same outputs, whatever the id.
bool SameOutputs(const inference::ModelInferResponse& a, const inference::ModelInferResponse& b) {
  if (a.outputs_size() != b.outputs_size() ||
      a.raw_output_contents_size() != b.raw_output_contents_size()) {
    return false;
  }
  for (int i = 0; i < a.outputs_size(); ++i) {
    if (a.outputs(i).SerializeAsString() != b.outputs(i).SerializeAsString()) return false;
  }
  for (int i = 0; i < a.raw_output_contents_size(); ++i) {
    if (a.raw_output_contents(i) != b.raw_output_contents(i)) return false;
  }
  return true;
}

}  // namespace

int64_t Counts::failed() const {
  int64_t sum = 0;
  for (const auto& [code, count] : errors) sum += count;
  return sum;
}

bool Recorder::DiffersFromFirst(const inference::ModelInferResponse& response) {
  if (has_first_) return !SameOutputs(first_, response);
  first_ = response;
  has_first_ = true;
  return false;
}

void Recorder::Record(absl::Duration latency, const absl::Status& status,
                      const inference::ModelInferResponse& response, bool counted) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const bool differs = status.ok() && check_equal_ && DiffersFromFirst(response);
  if (!counted && !differs) return;
  for (Counts* counts : {&total_, &recent_}) {
    if (status.ok()) {
      if (counted) counts->latencies.Record(latency);
      counts->unequal += differs;
      continue;
    }
    const std::string code = absl::StatusCodeToString(status.code());
    ++counts->errors[code];
    counts->samples.emplace(code, std::string(status.message()));
  }
}

void Recorder::RecordUnsent() {
  const std::lock_guard<std::mutex> lock(mutex_);
  ++total_.unsent;
  ++recent_.unsent;
}

Counts Recorder::Total() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return total_;
}

Counts Recorder::TakeRecent() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return std::exchange(recent_, Counts());
}

}  // namespace inferd::loadtest
