#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "engine/graph/graph.h"

namespace inferd {

class Device;
class DeviceContext;
class DeviceWeights;
class WeightStore;

// What a prepared kernel sees when it runs. Absent optional inputs and outputs are null.
struct StepContext {
  absl::Span<const Tensor* const> inputs;
  absl::Span<Tensor* const> outputs;
  void* scratch = nullptr;  // scratch_bytes() of the kernel, 64-byte aligned; see below
  int threads = 1;          // OpenMP threads the kernel may use
  // Elements from each row of input 0 and output 0 to the next; 0: rows follow one another, as they
  // must unless the kernel takes them otherwise: see input_row().
  int64_t input_step = 0;
  int64_t output_step = 0;
  // Of a step on a device: where to give the work; inputs, outputs and scratch are its memory then,
  // aligned as device.h says.
  DeviceContext* device = nullptr;
};

// Where the rows of a part lie in a larger tensor, in elements: the length of one, where the first
// starts, and from one to the next.
struct RowsPlace {
  int64_t row;
  int64_t start;
  int64_t step;
};

// One prepared step over static shapes: weights packed, primitives built, nothing left to check.
// Run allocates nothing and takes no lock. Immutable; Run may be called by many threads at once.
class BoundKernel {
 public:
  virtual ~BoundKernel() = default;
  virtual absl::Status Run(const StepContext& context) const = 0;
  virtual int64_t scratch_bytes() const { return 0; }
  // What the plan dump shows, such as "brgconv:avx512_core".
  virtual std::string description() const = 0;
  // Constant inputs the kernel holds packed copies of: Run reads neither context.inputs[i], which
  // has a type but maybe no bytes, nor the bytes that Prepare saw, which may be gone by then.
  virtual bool holds_input(int) const { return false; }
  // Whether output 0 may have the storage of input i, which has its shape, type and layout: each
  // element is read before the one at its place is written.
  virtual bool writes_over_input(int) const { return false; }
  // The elements of the rows of input 0 and of output 0 that may lie apart, as parts of a larger
  // tensor do; 0: they must follow one another.
  virtual int64_t input_row() const { return 0; }
  virtual int64_t output_row() const { return 0; }
  // Where input i lies in output 0 when the kernel only joins, and output i in input 0 when it only
  // takes parts. One that is there already, by its address, is left alone.
  virtual std::optional<RowsPlace> PlaceOfInput(int) const { return std::nullopt; }
  virtual std::optional<RowsPlace> PlaceOfOutput(int) const { return std::nullopt; }
};

// Which memory orders a node can take for its rank >= 3 inputs and outputs.
enum class LayoutPreference : uint8_t {
  kRowMajor,      // only row-major
  kAny,           // either, as long as all full-rank inputs and outputs have the same
  kChannelsLast,  // channels-last is faster; all full-rank activations are channels-last
};

struct PrepareContext {
  WeightStore* weights = nullptr;
  int threads = 1;
  // Which of the provider's Candidates to take. Empty, or one that cannot run the node: as the
  // provider thinks best.
  absl::string_view candidate;
  DeviceWeights* device_weights = nullptr;  // for providers with a device
};

// One device: which nodes it takes, and the kernels for them. Nodes given to it are bound: every
// shape is concrete, layouts are assigned, and epilogues are part of the node. The tensors of a
// provider with a device() of its own are in that device's memory, and its kernels only give work
// to the context; of those without one, in host memory. Thread-safe.
class ExecutionProvider {
 public:
  virtual ~ExecutionProvider() = default;
  virtual absl::string_view name() const = 0;
  // For the log: the device, its memory and driver.
  virtual std::string description() const { return std::string(name()); }
  // Null: nodes run in host memory.
  virtual Device* device() const { return nullptr; }

  // Whether this provider runs `node`, epilogue included. Also asked with symbolic shapes, before
  // binding, by passes that fuse: answer for what is known, true only if it holds for every
  // binding.
  virtual bool Supports(const Graph& graph, const Node& node) const = 0;

  // Asked for bound nodes this provider supports.
  virtual LayoutPreference Layouts(const Graph& graph, const Node& node) const = 0;

  // The ways to run a bound node this provider supports, by name, the one that Prepare takes by
  // itself first; empty where there is nothing to choose. Measuring them is for others.
  virtual std::vector<std::string> Candidates(const Graph&, const Node&) const { return {}; }
  // Part of the key under which measurements are kept: another text where candidates or their
  // times are others, as on another device or with another version of a library.
  virtual std::string tuning_identity() const { return std::string(name()); }

  // The kernel for a bound node. Constants to pack are graph.constant(input). UNIMPLEMENTED from a
  // provider with a device: the node runs in host memory.
  virtual absl::StatusOr<std::unique_ptr<BoundKernel>> Prepare(const Graph& graph, const Node& node,
                                                               const PrepareContext& context) = 0;
};

}  // namespace inferd
