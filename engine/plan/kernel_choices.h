#pragma once

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "engine/core/mutex.h"
#include "engine/graph/graph.h"

namespace inferd {

// What a measurement of a bound node's candidates depends on: operator, attributes, epilogue, and
// of every input and output the type, the layout and whether it is constant. Equal for equal layers
// of a model, whatever their weights.
std::string StepKey(const Graph& graph, const Node& node, absl::string_view provider, int threads);

// Which of the ways to run a step was measured to be the fastest, by StepKey: part of a model, kept
// in its cache file from one start to the next. Thread-safe.
class KernelChoices {
 public:
  // The candidate's name; empty when the step was not measured.
  std::string Find(absl::string_view step_key) const;
  void Set(absl::string_view step_key, absl::string_view candidate);
  bool empty() const;

  // One line a choice: candidate, tab, key. Equal for equal choices.
  std::string ToText() const;
  // Adds the choices of a ToText; INVALID_ARGUMENT for a line that is none, with nothing added.
  absl::Status AddText(absl::string_view text);

 private:
  mutable Mutex mutex_;
  std::map<std::string, std::string, std::less<>> by_key_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace inferd
