#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "config/engine_config.h"
#include "engine/core/tensor.h"
#include "engine/device_monitor.h"
#include "engine/graph/model_metadata.h"
#include "engine/graph/value_type.h"
#include "engine/onnx/tensor_file.h"
#include "engine/runtime/core_slots.h"
#include "engine/runtime/kernel_tuner.h"
#include "engine/runtime/profile.h"

namespace inferd {

// Whether rows (dimension 0 of every input) may be batched with other requests' rows.
enum class BatchSafety : uint8_t { kProven, kTested, kRefused };

struct BatchVerdict {
  BatchSafety safety = BatchSafety::kRefused;
  std::string reason;  // a sentence naming the node or value that decided
};

// The precision a model was compiled in, and where that is not what was named, a sentence why.
struct PrecisionChoice {
  Precision precision = Precision::kFloat32;
  std::string note;
  bool is_warning = false;  // another was named
};

// Whether requests whose sequences (dimension 1 of every input) differ in length may share an
// execution without padding.
struct PackingVerdict {
  bool packs = false;
  // The input whose zeros at the ends of rows mark padding that is not computed; -1: all is.
  int padding_mask = -1;
  // A sentence naming the node or value that decided; empty where the inputs are no sequences.
  std::string reason;
};

struct MemoryUse {
  int64_t weight_bytes = 0;     // constants, packed and unpacked
  int64_t arena_bytes = 0;      // the largest plan's arena
  int64_t workspace_bytes = 0;  // of an arena, at most, what kernels work in
  int plans = 0;
  int64_t device_weight_bytes = 0;  // constants in the memory of devices
};

// What a Model::Tune did.
struct TuningReport {
  std::vector<TunedStep> steps;
  int swapped_plans = 0;
  absl::Duration time;  // on cores
};

// A compiled model: optimized once, with one plan per bound shape, made on demand (single flight)
// and kept in a bounded LRU. Thread-safe.
class Model {
 public:
  virtual ~Model() = default;

  virtual const std::vector<TensorInfo>& inputs() const = 0;
  virtual const std::vector<TensorInfo>& outputs() const = 0;
  virtual const ModelMetadata& metadata() const = 0;

  // What arithmetic it runs in. Set by Compile.
  const PrecisionChoice& precision() const { return precision_; }
  void set_precision(PrecisionChoice choice) { precision_ = std::move(choice); }

  // The numbers of the devices that it was put on, in ascending order; none where all of it runs on
  // the CPU. Set by Compile.
  const std::vector<int>& devices() const { return devices_; }
  void set_devices(std::vector<int> devices) { devices_ = std::move(devices); }

  // Runs on the calling thread, which must hold `slot`. `inputs` are in the order of inputs(), host
  // memory, row-major, and must stay alive; dtypes and shapes are checked against the signature
  // (INVALID_ARGUMENT naming the input, expected, got). On success `outputs` are in the order of
  // outputs(); they may point into the slot's arena, the inputs or the constants, and are valid
  // until the slot's next Run. After a CheckPacking that says so, padding is left out where it is
  // an eighth of all tokens or more; what it holds is then not looked at.
  virtual absl::Status Run(CoreSlot& slot, absl::Span<const Tensor> inputs,
                           std::vector<Tensor>* outputs) = 0;

  // One run like Run, without outputs, whose times by step are added to `profile`. Every run of a
  // profile must have inputs of the same shapes.
  virtual absl::Status RunProfiled(CoreSlot& slot, absl::Span<const Tensor> inputs,
                                   ModelProfile* profile) = 0;

  // Checks dtypes and shapes as Run does, without running.
  virtual absl::Status CheckInputs(absl::Span<const Tensor> inputs) const = 0;
  // Makes the plan for these input shapes now, so that the first Run does not wait for it.
  virtual absl::Status Prepare(absl::Span<const Shape> input_shapes) = 0;

  // The shapes that plans were made for, at most so many, the most used first: what another version
  // of the model will be asked for.
  virtual std::vector<std::vector<Shape>> PreparedShapes(size_t /*limit*/) const { return {}; }

  // Decides batching: by proof where the analysis allows it, else by running three random rows
  // alone and together on `slot`.
  virtual BatchVerdict CheckBatching(CoreSlot& slot) = 0;

  // Decides packing: by the structure of the graph, confirmed by running sequences of different
  // lengths alone and packed on `slot`, likewise whether padding within a request is left out from
  // then on. Before the model serves.
  virtual PackingVerdict CheckPacking(CoreSlot& slot) = 0;
  // Runs requests that CheckInputs accepts one by one as one execution; their sequences may differ
  // in length, and padding is left out as in Run. Requires a positive CheckPacking. `(*outputs)[r]`
  // is what Run gives for request r, valid as long.
  virtual absl::Status RunPacked(CoreSlot& slot,
                                 absl::Span<const absl::Span<const Tensor>> requests,
                                 std::vector<std::vector<Tensor>>* outputs) = 0;

  // Measures other ways to run the steps of the plans made so far, the plans most used first, on
  // slots that are idle, and swaps in plans of the fastest; requests go on meanwhile. Returns when
  // there is nothing to measure or the model's EngineConfig::tuning_seconds are used up, and soon
  // after `stop` says true. For one thread at a time.
  virtual absl::StatusOr<TuningReport> Tune(CoreSlots&, const std::function<bool()>& /*stop*/) {
    return TuningReport();
  }

  virtual MemoryUse memory_use() const = 0;

  // Whether a device that it was put on does not answer any more.
  virtual bool has_lost_device() const { return false; }

  // With EngineConfig::cache_dir: writes what makes the next start quick for the plans made so far,
  // if any of it is new. Takes as long as the disk; may run beside requests.
  virtual absl::Status SaveCache() { return absl::OkStatus(); }
  // What the load found in the cache folder, a sentence; empty without one.
  virtual std::string CacheReport() const { return ""; }

  // Text dumps for `inferd inspect`.
  virtual std::string GraphDump() const = 0;          // the optimized graph
  virtual std::string OriginalGraphDump() const = 0;  // as imported
  virtual std::string PassReport() const = 0;         // what each pass did, with times
  virtual absl::StatusOr<std::string> PlanDump(absl::Span<const Shape> input_shapes) = 0;

 private:
  PrecisionChoice precision_;
  std::vector<int> devices_;
};

// Reads and optimizes the ONNX file at `path` (external data is looked up beside it), for every
// device that `config` puts it on; executions go where they are done first. Errors name the file,
// the node or tensor, what was expected and what was found. With Precision::kAuto the
// model is compiled in floats and in bfloat16, and both are run on random rows, unless the cache
// folder knows the outcome: the narrower one is taken where it is close enough and faster.
absl::StatusOr<std::unique_ptr<Model>> Compile(const std::string& path, const EngineConfig& config);

// Checks what can be checked before any model is there: the providers and the operator libraries,
// which this loads. INVALID_ARGUMENT naming the provider or library.
absl::Status CheckEngineConfig(const EngineConfig& config);

// The version string of this build of the engine.
absl::string_view EngineBuildId();

}  // namespace inferd
