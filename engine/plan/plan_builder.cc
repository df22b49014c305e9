#include "engine/plan/plan_builder.h"

#include <algorithm>
#include <map>
#include <set>

#include "engine/core/status_macros.h"
#include "engine/graph/op_def.h"
#include "engine/ops/shape_inference.h"
#include "engine/passes/kept_bytes.h"
#include "engine/plan/arena_placement.h"
#include "engine/plan/body.h"
#include "engine/plan/dense_view.h"
#include "engine/plan/kernel_choices.h"
#include "engine/plan/lazy_kernel.h"
#include "engine/plan/row_places.h"
#include "engine/plan/value_copies.h"
#include "engine/plan/weight_store.h"
#include "engine/providers/device.h"
#include "engine/providers/portable/portable_kernel.h"
#include "engine/providers/providers.h"

namespace inferd {
namespace {

// Makes one plan. Used by one thread, once.
class PlanBuilder {
 public:
  PlanBuilder(const Graph& graph, const PlanOptions& options, bool all_dynamic)
      : graph_(graph), options_(options), all_dynamic_(all_dynamic) {}

  absl::StatusOr<std::shared_ptr<const Plan>> Build() {
    plan_->limit_bytes = options_.max_arena_bytes;
    plan_->inputs = graph_.inputs();
    plan_->outputs = graph_.outputs();
    PlaceInputsAndConstants();
    CountReaders();
    for (NodeId id = 0; id < graph_.num_nodes(); ++id) {
      if (!graph_.node(id).removed) RETURN_IF_ERROR(AddNode(graph_.node(id)));
    }
    RETURN_IF_ERROR(KeepOutputs());
    copies_.Finish();
    PutRowsInPlace(plan_.get(), &roots_, &starts_);
    RETURN_IF_ERROR(PlaceInArenas(roots_, starts_, options_.max_arena_bytes, plan_.get()));
    return plan_;
  }

 private:
  // Nodes that are still to read each recoverable constant.
  void CountReaders() {
    for (NodeId id = 0; id < graph_.num_nodes(); ++id) {
      if (graph_.node(id).removed) continue;
      for (ValueId input : graph_.node(id).inputs) {
        if (RecoverableBytes* bytes = RecoverableOf(input)) ++readers_[bytes];
      }
    }
  }

  RecoverableBytes* RecoverableOf(ValueId id) const {
    const Tensor* constant = graph_.constant(id);
    return constant == nullptr ? nullptr : constant->recoverable();
  }

  // A constant that is read while running, through a view or not, has its bytes in memory.
  void Keep(ValueId id) {
    if (id == kNoValue || plan_->values[id].kind != StorageKind::kConstant) return;
    Tensor& tensor = plan_->values[id].tensor;
    tensor = tensor.Kept();
  }

  absl::Status KeepOutputs() {
    for (ValueId& id : plan_->outputs) {
      ASSIGN_OR_RETURN(id, copies_.In(-1, id));
      Keep(id);
    }
    return absl::OkStatus();
  }

  // The constants that `node` has read to make its kernel and that no further node reads go from
  // memory, so that a model's constants are never all there at once.
  void ReleaseRead(const Node& node) {
    for (ValueId input : node.inputs) {
      RecoverableBytes* bytes = RecoverableOf(input);
      if (bytes != nullptr && --readers_[bytes] == 0) bytes->Release();
    }
  }

  void PlaceInputsAndConstants() {
    plan_->values.resize(graph_.num_values());
    roots_.assign(graph_.num_values(), kNoValue);
    starts_.assign(graph_.num_values(), 0);
    for (ValueId id = 0; id < graph_.num_values(); ++id) {
      if (const Tensor* constant = graph_.constant(id)) {
        plan_->values[id].kind = StorageKind::kConstant;
        plan_->values[id].tensor = *constant;
      }
    }
    for (size_t i = 0; i < graph_.inputs().size(); ++i) {
      ValueStorage& storage = plan_->values[graph_.inputs()[i]];
      storage.kind = StorageKind::kInput;
      storage.input = static_cast<int>(i);
      const ValueType& type = graph_.value(graph_.inputs()[i]).type;
      if (HasStaticType(graph_.inputs()[i])) {
        storage.tensor = Tensor::View(type.dtype, type.shape.ToShape(), nullptr);
      }
    }
  }

  bool HasStaticType(ValueId id) const {
    const ValueType& type = graph_.value(id).type;
    return !all_dynamic_ && type.is_tensor() && type.dtype != DType::kInvalid &&
           type.shape.IsConcrete();
  }

  // Shape known before running: planned, an input of known shape, or a constant.
  bool IsStatic(ValueId id) const {
    if (id == kNoValue) return true;
    const StorageKind kind = plan_->values[id].kind;
    return kind == StorageKind::kConstant || kind == StorageKind::kArena ||
           (kind == StorageKind::kInput && !all_dynamic_ && HasStaticType(id));
  }

  bool IsStaticNode(const Node& node) const {
    if (all_dynamic_ || node.op->op_class == OpClass::kControlFlow) return false;
    if (!std::all_of(node.inputs.begin(), node.inputs.end(),
                     [this](ValueId id) { return IsStatic(id); })) {
      return false;
    }
    return std::all_of(node.outputs.begin(), node.outputs.end(), [this](ValueId id) {
      return id == kNoValue || (HasStaticType(id) && graph_.value(id).type.dtype != DType::kString);
    });
  }

  absl::Status AddNode(const Node& node) {
    if (node.op->op_class == OpClass::kControlFlow) return AddControlFlow(node);
    if (!IsStaticNode(node)) return AddDynamic(node);
    if (IsView(node)) {
      AddView(node);
      return absl::OkStatus();
    }
    if (AddParts(node) || JoinInPlace(node)) return absl::OkStatus();
    return AddKernel(node);
  }

  bool IsView(const Node& node) const { return node.epilogue.empty() && KeepsBytes(graph_, node); }

  // The output is its input's storage under another shape or order.
  void AddView(const Node& node) {
    const ValueId output = node.outputs[0];
    const ValueStorage& input = plan_->values[node.inputs[0]];
    ValueStorage storage = input;
    const Value& value = graph_.value(output);
    if (input.kind == StorageKind::kConstant) {
      storage.tensor = input.tensor.Reshaped(value.type.shape.ToShape());
    } else {
      storage.tensor = Tensor::View(value.type.dtype, value.type.shape.ToShape(), nullptr, nullptr,
                                    value.layout);
    }
    if (input.kind == StorageKind::kArena) {
      roots_[output] = Root(node.inputs[0]);
      starts_[output] = starts_[node.inputs[0]];
    }
    plan_->values[output] = std::move(storage);
  }

  // `start` in bytes from that of the block of `root`, which is in the same memory.
  void PutInArena(ValueId id, int device, ValueId root, int64_t start) {
    const Value& value = graph_.value(id);
    plan_->values[id].kind = StorageKind::kArena;
    plan_->values[id].device = device;
    plan_->values[id].tensor =
        Tensor::View(value.type.dtype, value.type.shape.ToShape(), nullptr, nullptr, value.layout);
    roots_[id] = root;
    starts_[id] = start;
  }

  static bool MayStartAt(int64_t start, int device) {
    return device < 0 || start % kDeviceValueAlignment == 0;
  }

  // Outputs that are each one stretch of the input are views of it. False: none of that.
  bool AddParts(const Node& node) {
    if (node.inputs.empty() || node.inputs[0] == kNoValue) return false;
    const ValueStorage& input = plan_->values[node.inputs[0]];
    if (input.kind != StorageKind::kArena) return false;
    std::vector<int64_t> starts;
    for (ValueId output : node.outputs) {
      const auto offset = DenseOffset(graph_, node, output);
      if (!offset) return false;
      starts.push_back(starts_[node.inputs[0]] +
                       *offset * ElementBytes(graph_.value(output).type.dtype));
      if (!MayStartAt(starts.back(), input.device)) return false;
    }
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      PutInArena(node.outputs[i], input.device, Root(node.inputs[0]), starts[i]);
    }
    return true;
  }

  // A Concat whose inputs can be written where they lie in its output needs no step. False: they
  // cannot, since they are not of this plan's making, are parts of other blocks, stand twice, are
  // in several memories or would lie where no value on their device may begin.
  bool JoinInPlace(const Node& node) {
    const auto offsets = DenseParts(graph_, node);
    if (!offsets) return false;
    const int device = plan_->values[node.inputs[0]].device;
    std::map<ValueId, int64_t> starts;  // by root
    const ValueId output = node.outputs[0];
    const ValueType& type = graph_.value(output).type;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const ValueStorage& part = plan_->values[node.inputs[i]];
      const ValueId root = Root(node.inputs[i]);
      const int64_t start = (*offsets)[i] * ElementBytes(type.dtype);
      if (part.kind != StorageKind::kArena || joined_.count(root) != 0 || part.device != device ||
          part.tensor.byte_size() != plan_->values[root].tensor.byte_size() ||
          !MayStartAt(start, device) || !starts.emplace(root, start).second) {
        return false;
      }
    }
    for (size_t id = 0; id < roots_.size(); ++id) {
      const auto start = starts.find(roots_[id]);
      if (start == starts.end()) continue;
      roots_[id] = output;
      starts_[id] += start->second;
    }
    PutInArena(output, device, output, 0);
    joined_.insert(output);
    return true;
  }

  Step MakeStep(const Node& node) const {
    Step step;
    step.name = NodeLabel(node);
    step.op = node.op;
    step.attributes = node.attributes;
    step.inputs = node.inputs;
    step.num_op_inputs = node.num_op_inputs();
    step.outputs = node.outputs;
    step.num_captured = node.num_captured;
    return step;
  }

  absl::Status AddKernel(const Node& node) {
    Step step = MakeStep(node);
    ASSIGN_OR_RETURN(step.kernel, PrepareKernel(node, &step));
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (step.kernel->holds_input(static_cast<int>(i))) continue;
      if (step.device < 0) Keep(node.inputs[i]);
      ASSIGN_OR_RETURN(step.inputs[i], copies_.In(step.device, node.inputs[i]));
    }
    ReleaseRead(node);
    for (ValueId output : node.outputs) {
      if (output == kNoValue) continue;
      PutInArena(output, step.device, output, 0);
    }
    plan_->steps.push_back(std::move(step));
    return absl::OkStatus();
  }

  // Sets who runs the step, and where.
  absl::StatusOr<std::unique_ptr<BoundKernel>> PrepareKernel(const Node& node, Step* step) {
    ExecutionProvider* provider = ProviderOf(options_.providers, graph_, node);
    if (provider == nullptr) {
      step->provider = "portable";
      return std::unique_ptr<BoundKernel>(
          std::make_unique<PortableKernel>(node, true, plan_->limit_bytes));
    }
    PrepareContext context;
    context.weights = options_.weights;
    context.device_weights = options_.device_weights;
    context.threads = options_.threads;
    const std::string candidate = Choice(node, *provider);
    context.candidate = candidate;
    auto kernel = provider->Prepare(graph_, node, context);
    if (provider->device() != nullptr && absl::IsUnimplemented(kernel.status()) &&
        IsRowMajor(node)) {
      Node on_host = node;
      on_host.device_provider = -1;
      return PrepareKernel(on_host, step);
    }
    if (!kernel.ok()) return Annotate(kernel.status(), NodeLabel(node));
    step->provider = std::string(provider->name());
    if (provider->device() != nullptr) step->device = plan_->AddDevice(provider->device());
    return kernel;
  }

  bool IsRowMajor(const Node& node) const {
    const auto row_major = [this](ValueId id) {
      return id == kNoValue || graph_.value(id).layout == Layout::kRowMajor;
    };
    return std::all_of(node.inputs.begin(), node.inputs.end(), row_major) &&
           std::all_of(node.outputs.begin(), node.outputs.end(), row_major);
  }

  std::string Choice(const Node& node, const ExecutionProvider& provider) const {
    if (options_.choices == nullptr || options_.choices->empty()) return "";
    return options_.choices->Find(
        StepKey(graph_, node, provider.tuning_identity(), options_.threads));
  }

  absl::Status ReadOnHost(Step* step) {
    for (ValueId& input : step->inputs) {
      Keep(input);
      ASSIGN_OR_RETURN(input, copies_.In(-1, input));
    }
    return absl::OkStatus();
  }

  absl::Status AddDynamic(const Node& node) {
    Step step = MakeStep(node);
    step.provider = "dynamic";
    step.dynamic = true;
    RETURN_IF_ERROR(ReadOnHost(&step));
    step.kernel = std::make_unique<LazyKernel>(graph_, node, options_);
    for (ValueId output : node.outputs) {
      if (output != kNoValue) plan_->values[output].kind = StorageKind::kDynamic;
    }
    plan_->steps.push_back(std::move(step));
    return absl::OkStatus();
  }

  absl::Status AddControlFlow(const Node& node) {
    Step step = MakeStep(node);
    step.provider = "engine";
    step.dynamic = true;
    RETURN_IF_ERROR(ReadOnHost(&step));
    for (const auto& [name, graph] : node.subgraphs) {
      absl::StatusOr<std::shared_ptr<const Body>> body =
          Body::Make(WithKnownCaptures(node, *graph), options_);
      if (!body.ok()) return Annotate(body.status(), NodeLabel(node));
      step.bodies.emplace_back(name, *std::move(body));
    }
    for (ValueId output : node.outputs) {
      if (output != kNoValue) plan_->values[output].kind = StorageKind::kDynamic;
    }
    plan_->steps.push_back(std::move(step));
    return absl::OkStatus();
  }

  // The body with what it captures as constants where that is known: weights can be packed.
  Graph WithKnownCaptures(const Node& node, Graph body) const {
    const size_t captured =
        std::min<size_t>(node.num_captured, std::min(body.inputs().size(), node.inputs.size()));
    for (size_t i = 0; i < captured; ++i) {
      const Tensor* constant = graph_.constant(node.inputs[node.inputs.size() - captured + i]);
      if (constant == nullptr) continue;
      const ValueId input = body.inputs()[body.inputs().size() - captured + i];
      body.ReplaceUses(input, body.AddConstant("", constant->Kept()));
    }
    return body;
  }

  ValueId Root(ValueId id) const { return roots_[id]; }

  const Graph& graph_;
  const PlanOptions& options_;
  const bool all_dynamic_;
  std::shared_ptr<Plan> plan_ = std::make_shared<Plan>();
  std::map<RecoverableBytes*, int> readers_;
  // Of arena values: the value that owns the block, through views, and where in it they start, in
  // bytes.
  std::vector<ValueId> roots_;
  std::vector<int64_t> starts_;
  std::set<ValueId> joined_;  // roots whose parts are written by several steps
  ValueCopies copies_{*plan_, roots_, starts_, options_.device_weights};
};

}  // namespace

int Plan::AddDevice(Device* device) {
  for (size_t d = 0; d < devices.size(); ++d) {
    if (devices[d].device == device) return static_cast<int>(d);
  }
  devices.push_back({device});
  return static_cast<int>(devices.size()) - 1;
}

absl::StatusOr<std::shared_ptr<const Plan>> BuildPlan(const Graph& graph,
                                                      const PlanOptions& options) {
  auto plan = PlanBuilder(graph, options, false).Build();
  if (options.weights != nullptr) options.weights->FinishPacking();
  return plan;
}

absl::StatusOr<std::shared_ptr<const Plan>> BuildBodyPlan(const Graph& graph,
                                                          const PlanOptions& options) {
  return PlanBuilder(graph, options, true).Build();
}

}  // namespace inferd
