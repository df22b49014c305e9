#include <algorithm>
#include <limits>
#include <numeric>
#include <set>
#include <vector>

#include "engine/graph/op_def.h"
#include "engine/ops/op_cost.h"
#include "engine/passes/passes.h"
#include "engine/providers/device.h"

namespace inferd {
namespace {

// What a core does, roughly: the device must be clearly better to be worth two copies.
constexpr double kHostFlopsPerSecond = 50e9;
constexpr double kHostBytesPerSecond = 8e9;
constexpr double kHostStepSeconds = 0.5e-6;

// Integers up to this many elements are shapes, indices and counts: the host wants them.
constexpr int64_t kShapeElements = 64;

bool IsOff(const EngineConfig& config, absl::string_view name) {
  const auto& off = config.disabled_passes;
  return std::find(off.begin(), off.end(), name) != off.end();
}

// Nodes on one device that read each other's values: they go there together or not at all.
struct Island {
  int nodes = 0;
  double host_seconds = 0;
  double device_seconds = 0;
  std::set<ValueId> copies_in;
  std::set<ValueId> copies_out;
};

// Claims the nodes of a bound graph in the order of the providers and gives islands back that do
// not pay. Used once, by one thread.
class Partitioner {
 public:
  Partitioner(Graph& graph, const PassContext& context)
      : graph_(graph),
        context_(context),
        claims_(graph.num_nodes(), -1),
        fixed_(graph.num_values(), false),
        origins_(graph.num_values()),
        islands_of_(graph.num_nodes()),
        islands_(graph.num_nodes()),
        gives_back_(!IsOff(context.config, "give_back_islands")) {
    std::iota(origins_.begin(), origins_.end(), 0);
    std::iota(islands_of_.begin(), islands_of_.end(), 0);
  }

  int Run() {
    for (ValueId id = 0; id < graph_.num_values(); ++id) {
      fixed_[id] = graph_.constant(id) != nullptr;
    }
    for (ValueId id : graph_.inputs()) fixed_[id] = true;
    for (NodeId id = 0; id < graph_.num_nodes(); ++id) {
      graph_.node(id).device_provider = -1;
      if (!graph_.node(id).removed) Claim(id);
    }
    for (NodeId id = 0; id < graph_.num_nodes(); ++id) {
      if (claims_[id] >= 0) Weigh(id);
    }
    WeighCopiesOut();
    return Assign();
  }

 private:
  bool IsBound(ValueId id) const {
    if (id == kNoValue) return true;
    const ValueType& type = graph_.value(id).type;
    return fixed_[id] && type.is_tensor() && type.dtype != DType::kString &&
           type.dtype != DType::kInvalid && type.shape.IsConcrete();
  }

  bool IsView(const Node& node) const {
    return node.op->op_class == OpClass::kView && node.epilogue.empty() &&
           node.outputs.size() == 1 && !node.inputs.empty() && node.inputs[0] != kNoValue;
  }

  // The same conditions as those of steps over static shapes.
  void Claim(NodeId id) {
    const Node& node = graph_.node(id);
    if (node.op->op_class == OpClass::kControlFlow) return;
    if (!std::all_of(node.inputs.begin(), node.inputs.end(),
                     [this](ValueId input) { return IsBound(input); })) {
      return;
    }
    for (ValueId output : node.outputs) {
      if (output != kNoValue) fixed_[output] = true;
    }
    if (!std::all_of(node.outputs.begin(), node.outputs.end(),
                     [this](ValueId output) { return IsBound(output); })) {
      return;
    }
    if (IsView(node)) {
      origins_[node.outputs[0]] = origins_[node.inputs[0]];
      return;
    }
    if (IsShapeArithmetic(node)) return;
    claims_[id] = DeviceFor(node);
    if (claims_[id] < 0) return;
    for (ValueId input : node.inputs) {
      const NodeId producer = ProducerOf(input);
      if (producer != kNoNode && claims_[producer] == claims_[id]) {
        islands_of_[IslandOf(producer)] = IslandOf(id);
      }
    }
  }

  bool IsShapeArithmetic(const Node& node) const {
    const auto is_small = [this](ValueId id) {
      if (id == kNoValue) return true;
      const ValueType& type = graph_.value(id).type;
      return IsInteger(type.dtype) && type.shape.ToShape().num_elements() <= kShapeElements;
    };
    return std::all_of(node.inputs.begin(), node.inputs.end(), is_small) &&
           std::all_of(node.outputs.begin(), node.outputs.end(), is_small);
  }

  static bool IsInteger(DType dtype) {
    return dtype == DType::kBool || dtype == DType::kInt32 || dtype == DType::kInt64;
  }

  // -1: a provider in host memory comes first, or none takes it.
  int DeviceFor(const Node& node) const {
    for (size_t i = 0; i < context_.providers.size(); ++i) {
      const Device* device = context_.providers[i]->device();
      if (device != nullptr && !device->usable()) continue;
      if (!context_.providers[i]->Supports(graph_, node)) continue;
      return device == nullptr ? -1 : static_cast<int>(i);
    }
    return -1;
  }

  NodeId ProducerOf(ValueId id) const {
    return id == kNoValue ? kNoNode : graph_.value(origins_[id]).producer;
  }

  NodeId IslandOf(NodeId id) {
    while (islands_of_[id] != id) id = islands_of_[id] = islands_of_[islands_of_[id]];
    return id;
  }

  DeviceCosts CostsOf(NodeId id) const {
    return context_.providers[claims_[id]]->device()->costs();
  }

  int64_t BytesOf(ValueId id) const {
    const ValueType& type = graph_.value(id).type;
    return type.shape.ToShape().num_elements() * ElementBytes(type.dtype);
  }

  double CopySeconds(const DeviceCosts& costs, ValueId id) const {
    return costs.copy_seconds + static_cast<double>(BytesOf(id)) / costs.copy_bytes_per_second;
  }

  void Weigh(NodeId id) {
    const Node& node = graph_.node(id);
    Island& island = islands_[IslandOf(id)];
    const DeviceCosts costs = CostsOf(id);
    double flops = 0;
    double bytes = 0;
    Measure(node, &flops, &bytes);
    ++island.nodes;
    if (!HostRuns(node)) island.host_seconds = std::numeric_limits<double>::infinity();
    island.host_seconds += kHostStepSeconds + bytes / kHostBytesPerSecond +
                           flops / (kHostFlopsPerSecond * context_.config.threads_per_slot);
    island.device_seconds += costs.step_seconds + std::max(bytes / costs.bytes_per_second,
                                                           flops / costs.flops_per_second);
    for (ValueId input : node.inputs) {
      if (input == kNoValue || graph_.constant(origins_[input]) != nullptr) continue;
      const ValueId origin = origins_[input];
      const NodeId producer = ProducerOf(input);
      if (producer != kNoNode && claims_[producer] == claims_[id]) continue;
      if (island.copies_in.insert(origin).second) {
        island.device_seconds += CopySeconds(costs, origin);
      }
    }
  }

  // The portable kernels are slow at narrow floats and know no mixture of types.
  bool HostRuns(const Node& node) const {
    const auto is_narrow = [this](ValueId id) {
      const DType dtype = id == kNoValue ? DType::kInvalid : graph_.value(id).type.dtype;
      return dtype == DType::kFloat16 || dtype == DType::kBfloat16;
    };
    if (std::none_of(node.inputs.begin(), node.inputs.end(), is_narrow) &&
        std::none_of(node.outputs.begin(), node.outputs.end(), is_narrow)) {
      return true;
    }
    return std::any_of(context_.providers.begin(), context_.providers.end(),
                       [&](const auto& provider) {
                         return provider->device() == nullptr && provider->Supports(graph_, node);
                       });
  }

  void Measure(const Node& node, double* flops, double* bytes) const {
    std::vector<Tensor> tensors(node.inputs.size() + node.outputs.size());
    std::vector<const Tensor*> inputs;
    std::vector<Tensor*> outputs;
    const auto tensor_of = [&](ValueId id, Tensor* tensor) -> Tensor* {
      if (id == kNoValue) return nullptr;
      const ValueType& type = graph_.value(id).type;
      *tensor = Tensor::View(type.dtype, type.shape.ToShape(), nullptr);
      return tensor;
    };
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      inputs.push_back(tensor_of(node.inputs[i], &tensors[i]));
    }
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      outputs.push_back(tensor_of(node.outputs[i], &tensors[node.inputs.size() + i]));
    }
    const OpUse use = {*node.op, node.attributes, node.num_op_inputs(), inputs,
                       absl::MakeSpan(outputs)};
    *flops = OpFlops(use);
    *bytes = static_cast<double>(OpBytes(use));
  }

  void WeighCopiesOut() {
    for (NodeId id = 0; id < graph_.num_nodes(); ++id) {
      if (graph_.node(id).removed || IsView(graph_.node(id))) continue;
      for (ValueId input : graph_.node(id).inputs) AddCopyOut(input, claims_[id]);
    }
    for (ValueId output : graph_.outputs()) AddCopyOut(output, -1);
  }

  void AddCopyOut(ValueId id, int reader_claim) {
    const NodeId producer = ProducerOf(id);
    if (producer == kNoNode || claims_[producer] < 0 || claims_[producer] == reader_claim) return;
    Island& island = islands_[IslandOf(producer)];
    if (island.copies_out.insert(origins_[id]).second) {
      island.device_seconds += CopySeconds(CostsOf(producer), origins_[id]);
    }
  }

  int Assign() {
    int assigned = 0;
    for (NodeId id = 0; id < graph_.num_nodes(); ++id) {
      if (claims_[id] < 0) continue;
      const Island& island = islands_[IslandOf(id)];
      if (gives_back_ && island.device_seconds >= island.host_seconds) {
        context_.Count("too small to pay");
        continue;
      }
      graph_.node(id).device_provider = claims_[id];
      context_.Count(context_.providers[claims_[id]]->name());
      ++assigned;
    }
    return assigned;
  }

  Graph& graph_;
  const PassContext& context_;
  std::vector<int> claims_;         // by node: the provider on whose device it could run, or -1
  std::vector<bool> fixed_;         // by value: its shape is known before running
  std::vector<ValueId> origins_;    // by value: what it is a view of
  std::vector<NodeId> islands_of_;  // by node, union-find
  std::vector<Island> islands_;     // by root of the above
  const bool gives_back_;
};

}  // namespace

absl::StatusOr<int> PartitionDevices(Graph& graph, const PassContext& context) {
  const auto has_device = [](const auto& provider) { return provider->device() != nullptr; };
  if (std::none_of(context.providers.begin(), context.providers.end(), has_device)) return 0;
  return Partitioner(graph, context).Run();
}

}  // namespace inferd
