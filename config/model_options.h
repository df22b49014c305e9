#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "config/engine_config.h"
#include "proto/model_config.pb.h"

namespace inferd {

// Which of the versions on disk are served.
struct VersionPolicy {
  enum class Kind : uint8_t { kLatest, kAll, kSpecific };
  Kind kind = Kind::kLatest;
  int64_t count = 1;              // kLatest
  std::vector<int64_t> versions;  // kSpecific
};

// A model's settings, checked in themselves; server/model checks them against the model.
// A value type.
struct ModelOptions {
  VersionPolicy version_policy;
  std::string model_filename = "model.onnx";

  // Rows of a batch and of one request; not set = derived from the model. 0 = never batch.
  std::optional<int64_t> configured_max_batch_size;
  // The one in force; settled when the model is loaded.
  int64_t max_batch_size = 0;

  // While other models' work waits for a core slot, a batch that is not full lets it go first
  // for at most this long. A batch never waits while a slot is idle.
  absl::Duration max_queue_delay = absl::ZeroDuration();
  // Ascending. A batch is cut at one of these while what is left is younger than max_queue_delay.
  std::vector<int64_t> preferred_batch_sizes;

  int64_t max_queue_requests = 1024;
  // How long a request may queue; zero = as long as its deadline allows.
  absl::Duration default_queue_timeout = absl::ZeroDuration();
  // Whether a request may shorten default_queue_timeout.
  bool allow_timeout_override = true;
  // Levels 1 (most urgent) to priority_levels; 0 = one level only.
  uint32_t priority_levels = 0;
  uint32_t default_priority = 0;

  // Where instance_group puts the model: on devices, by their numbers or all of them, with so many
  // executions at once on each (0: any number), or in host memory; neither: as the server does.
  bool on_devices = false;
  std::vector<int> device_ordinals;
  int executions_per_device = 0;
  bool on_host = false;

  // What arithmetic the model may use: the parameter "precision".
  Precision precision = Precision::kFloat32;
  // See EngineConfig: the parameter "precision_error".
  double max_precision_error = EngineConfig().max_precision_error;

  // Names that requests may give as a version: the parameters "version_alias.NAME".
  std::map<std::string, int64_t> version_aliases;

  // Of an output's classes, by its name: the lines of its label_filename, once that has been read.
  std::map<std::string, std::vector<std::string>> labels;

  // Settings that are accepted but change nothing here, one sentence each, for the log.
  std::vector<std::string> notes;
  // As given.
  inference::ModelConfig config;
};

// The default of max_batch_size where batching is safe and the config says nothing.
inline constexpr int64_t kDerivedMaxBatchSize = 32;

// Letters, digits, '_', '-' and '.', not beginning with '.', at most 255 bytes.
absl::Status CheckModelName(absl::string_view name);

// Parses and checks the text of the config.pbtxt of the model folder `model_name`; empty text gives
// the defaults. INVALID_ARGUMENT with line and column where it does not parse, or naming the field
// whose value is out of range; UNIMPLEMENTED naming a block that this server does not run.
absl::StatusOr<ModelOptions> ParseModelOptions(absl::string_view text,
                                               absl::string_view model_name);

}  // namespace inferd
