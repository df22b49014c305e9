#include "engine/runtime/kernel_tuner.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "engine/core/float16.h"
#include "engine/core/status_macros.h"
#include "engine/graph/op_def.h"
#include "engine/ops/shape_inference.h"
#include "engine/plan/weight_store.h"
#include "engine/providers/providers.h"

namespace inferd {
namespace {

using SteadyClock = std::chrono::steady_clock;

// A candidate replaces the provider's own choice when it is faster by at least this: less may be
// noise, and is not worth weights packed twice until no request uses the old plan any more.
constexpr double kLeastGain = 0.1;
// A candidate this much slower than the best after one run each is not run again.
constexpr double kHopeless = 2.0;
constexpr int kLeastRounds = 7;
constexpr int kMostRounds = 31;
// Rounds above the least go on for this long a candidate.
constexpr double kRoundSeconds = 0.03;
// Of the largest magnitude of the output.
constexpr double kFloatTolerance = 1e-4;
constexpr double kBfloat16Tolerance = 3e-2;
constexpr absl::Duration kRetryAfter = absl::Milliseconds(2);
constexpr size_t kColdBytesAtLeast = 4 << 20;

double Seconds(SteadyClock::time_point from, SteadyClock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

size_t ColdBytes() {
  const long level2 = sysconf(_SC_LEVEL2_CACHE_SIZE);
  return std::max<size_t>(kColdBytesAtLeast, level2 > 0 ? 2 * static_cast<size_t>(level2) : 0);
}

// Reads every cache line; the sum keeps the compiler from leaving that out.
unsigned TouchLines(const void* data, size_t bytes) {
  unsigned sum = 0;
  for (size_t i = 0; i < bytes; i += 64) sum += static_cast<const unsigned char*>(data)[i];
  return sum;
}

float FloatAt(const Tensor& tensor, int64_t i) {
  if (tensor.dtype() == DType::kFloat32) return tensor.data<float>()[i];
  if (tensor.dtype() == DType::kBfloat16) return static_cast<float>(tensor.data<Bfloat16>()[i]);
  return 0;
}

// Numbers of both signs around 1, the same ones each time.
void FillActivation(Tensor& tensor) {
  uint32_t state = 12345;
  const auto next = [&] {
    state = state * 1664525 + 1013904223;
    return static_cast<float>(state >> 8) / static_cast<float>(1 << 23) - 1.0f;
  };
  const int64_t count = tensor.num_elements();
  if (tensor.dtype() == DType::kFloat32) {
    std::generate_n(tensor.mutable_data<float>(), count, next);
  } else if (tensor.dtype() == DType::kBfloat16) {
    std::generate_n(tensor.mutable_data<Bfloat16>(), count, [&] { return Bfloat16(next()); });
  } else {
    std::fill_n(static_cast<char*>(tensor.mutable_raw()), tensor.byte_size(), 0);
  }
}

bool Agree(absl::Span<const Tensor> a, absl::Span<const Tensor> b) {
  for (size_t t = 0; t < a.size(); ++t) {
    double largest = 0;
    double difference = 0;
    for (int64_t i = 0; i < a[t].num_elements(); ++i) {
      const double x = FloatAt(a[t], i);
      const double y = FloatAt(b[t], i);
      if (!std::isfinite(y)) return false;
      largest = std::max(largest, std::abs(x));
      difference = std::max(difference, std::abs(x - y));
    }
    const bool narrow = a[t].dtype() == DType::kBfloat16;
    if (difference > largest * (narrow ? kBfloat16Tolerance : kFloatTolerance)) return false;
  }
  return true;
}

absl::Duration LowerQuartile(std::vector<double> seconds) {
  std::sort(seconds.begin(), seconds.end());
  return absl::Seconds(seconds[seconds.size() / 4]);
}

void ReleaseConstants(const Graph& graph, const Node& node) {
  for (const ValueId input : node.inputs) {
    const Tensor* constant = graph.constant(input);
    if (constant != nullptr && constant->recoverable() != nullptr) {
      constant->recoverable()->Release();
    }
  }
}

}  // namespace

struct KernelTuner::Contender {
  std::string name;
  std::unique_ptr<BoundKernel> kernel;
  absl::Status status;
  std::vector<double> seconds;
};

// The inputs and outputs of one node: its constants, and buffers for the rest.
class KernelTuner::Operands {
 public:
  static absl::StatusOr<std::unique_ptr<Operands>> Make(const Graph& graph, const Node& node) {
    auto operands = std::make_unique<Operands>();
    for (const ValueId id : node.inputs) {
      if (const Tensor* constant = graph.constant(id)) {
        operands->inputs_.push_back(constant->Kept());
        operands->is_activation_.push_back(false);
        continue;
      }
      ASSIGN_OR_RETURN(Tensor activation, Allocate(graph, id));
      if (id != kNoValue) FillActivation(activation);
      operands->inputs_.push_back(std::move(activation));
      operands->is_activation_.push_back(id != kNoValue);
    }
    for (const ValueId id : node.outputs) {
      ASSIGN_OR_RETURN(Tensor output, Allocate(graph, id));
      operands->outputs_.push_back(std::move(output));
    }
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      operands->input_pointers_.push_back(node.inputs[i] == kNoValue ? nullptr
                                                                     : &operands->inputs_[i]);
    }
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      operands->output_pointers_.push_back(node.outputs[i] == kNoValue ? nullptr
                                                                       : &operands->outputs_[i]);
    }
    return operands;
  }

  StepContext Context(void* scratch, int threads) {
    return {input_pointers_, output_pointers_, scratch, threads};
  }

  unsigned TouchActivations() const {
    unsigned sum = 0;
    for (size_t i = 0; i < inputs_.size(); ++i) {
      if (is_activation_[i]) sum += TouchLines(inputs_[i].raw(), inputs_[i].byte_size());
    }
    return sum;
  }

  absl::Span<const Tensor> outputs() const { return outputs_; }
  absl::StatusOr<std::vector<Tensor>> CopyOutputs() const {
    std::vector<Tensor> copies;
    for (const Tensor& output : outputs_) {
      if (!output.has_data()) {
        copies.emplace_back();
        continue;
      }
      ASSIGN_OR_RETURN(Tensor copy, output.Clone());
      copies.push_back(std::move(copy));
    }
    return copies;
  }

 private:
  static absl::StatusOr<Tensor> Allocate(const Graph& graph, ValueId id) {
    if (id == kNoValue) return Tensor();
    const Value& value = graph.value(id);
    return Tensor::Allocate(value.type.dtype, value.type.shape.ToShape(), value.layout);
  }

  std::vector<Tensor> inputs_;
  std::vector<bool> is_activation_;
  std::vector<Tensor> outputs_;
  std::vector<const Tensor*> input_pointers_;
  std::vector<Tensor*> output_pointers_;
};

absl::StatusOr<std::vector<TunedStep>> KernelTuner::Tune(const Graph& bound,
                                                         absl::Duration* budget) {
  used_ = absl::ZeroDuration();
  std::vector<TunedStep> steps;
  std::set<std::string> seen;
  absl::Status status;
  for (NodeId id = 0; id < bound.num_nodes() && status.ok(); ++id) {
    if (stopping() || used_ >= *budget) break;
    const Node& node = bound.node(id);
    ExecutionProvider* provider = ProviderOf(bound, node);
    if (provider == nullptr) continue;
    const std::string key = StepKey(bound, node, provider->name(), environment_.threads);
    if (!seen.insert(key).second || !environment_.choices->Find(key).empty()) continue;
    absl::StatusOr<std::optional<TunedStep>> step = TuneNode(bound, node, *provider, key);
    ReleaseConstants(bound, node);
    if (!step.ok()) {
      status = Annotate(step.status(), absl::StrCat("measuring ", NodeLabel(node)));
    } else if (step->has_value()) {
      steps.push_back(**std::move(step));
    }
  }
  *budget -= used_;
  cold_ = {};
  RETURN_IF_ERROR(status);
  return steps;
}

// Only nodes that will be steps over static shapes.
ExecutionProvider* KernelTuner::ProviderOf(const Graph& graph, const Node& node) const {
  if (node.removed || node.op->op_class == OpClass::kControlFlow) return nullptr;
  for (const auto* ids : {&node.inputs, &node.outputs}) {
    for (const ValueId id : *ids) {
      if (id == kNoValue) continue;
      const ValueType& type = graph.value(id).type;
      if (!type.is_tensor() || type.dtype == DType::kString || !type.shape.IsConcrete()) {
        return nullptr;
      }
    }
  }
  // Devices choose by themselves.
  if (node.device_provider >= 0) return nullptr;
  return inferd::ProviderOf(environment_.providers, graph, node);
}

bool KernelTuner::OnIdleSlot(absl::FunctionRef<void(CoreSlot& slot)> work) {
  while (!stopping()) {
    const SteadyClock::time_point start = SteadyClock::now();
    if (environment_.slots->TryRunHere(work)) {
      used_ += absl::Seconds(Seconds(start, SteadyClock::now()));
      return true;
    }
    absl::SleepFor(kRetryAfter);
  }
  stopped_ = true;
  return false;
}

absl::StatusOr<std::optional<TunedStep>> KernelTuner::TuneNode(const Graph& graph, const Node& node,
                                                               ExecutionProvider& provider,
                                                               absl::string_view key) {
  const std::vector<std::string> names = provider.Candidates(graph, node);
  if (names.size() < 2) return std::nullopt;
  std::vector<Contender> contenders;
  RETURN_IF_ERROR(PrepareAll(graph, node, provider, names, &contenders));
  if (contenders.size() > 1) {
    ASSIGN_OR_RETURN(const std::unique_ptr<Operands> operands, Operands::Make(graph, node));
    RETURN_IF_ERROR(Compare(*operands, &contenders));
    if (!stopped_) RETURN_IF_ERROR(Race(*operands, &contenders));
  }
  if (stopped_ || contenders.empty()) return std::nullopt;
  TunedStep step;
  step.node = NodeLabel(node);
  step.chosen = contenders[0].name;
  for (const Contender& contender : contenders) {
    if (!contender.seconds.empty()) {
      step.candidates.push_back({contender.name, LowerQuartile(contender.seconds)});
    }
  }
  const auto fastest =
      std::min_element(step.candidates.begin(), step.candidates.end(),
                       [](const auto& x, const auto& y) { return x.time < y.time; });
  if (fastest != step.candidates.end() &&
      fastest->time < step.candidates[0].time * (1 - kLeastGain)) {
    step.chosen = fastest->name;
    step.changed = true;
  }
  environment_.choices->Set(key, step.chosen);
  return step;
}

absl::Status KernelTuner::PrepareAll(const Graph& graph, const Node& node,
                                     ExecutionProvider& provider,
                                     const std::vector<std::string>& names,
                                     std::vector<Contender>* contenders) {
  // Only what is chosen at last belongs into the model's store. Kernels hold their packed copies.
  WeightStore store;
  std::set<std::string> descriptions;
  for (const std::string& name : names) {
    Contender contender{.name = name};
    PrepareContext context{
        .weights = &store, .threads = environment_.threads, .candidate = contender.name};
    const bool ran = OnIdleSlot([&](CoreSlot&) {
      auto kernel = provider.Prepare(graph, node, context);
      contender.status = kernel.status();
      if (kernel.ok()) contender.kernel = *std::move(kernel);
    });
    if (!ran) return absl::OkStatus();
    if (contenders->empty()) RETURN_IF_ERROR(contender.status);
    // A candidate that cannot run this node is prepared as another one.
    if (!contender.status.ok() || !descriptions.insert(contender.kernel->description()).second) {
      continue;
    }
    contenders->push_back(std::move(contender));
  }
  return absl::OkStatus();
}

absl::Status KernelTuner::RunOnce(Operands& operands, Contender& contender) {
  OnIdleSlot([&](CoreSlot& slot) {
    void* const scratch = slot.Arena(std::max<int64_t>(contender.kernel->scratch_bytes(), 1));
    const StepContext context = operands.Context(scratch, environment_.threads);
    if (scratch == nullptr) {
      contender.status = absl::ResourceExhaustedError("out of memory for a kernel's scratch");
      return;
    }
    if (cold_.empty()) cold_.assign(ColdBytes(), 1);
    volatile unsigned touched = TouchLines(cold_.data(), cold_.size());
    touched = touched + operands.TouchActivations();
    const SteadyClock::time_point start = SteadyClock::now();
    contender.status = contender.kernel->Run(context);
    contender.seconds.push_back(Seconds(start, SteadyClock::now()));
  });
  return contender.status;
}

absl::Status KernelTuner::Compare(Operands& operands, std::vector<Contender>* contenders) {
  std::vector<Tensor> expected;
  std::vector<Contender> agreeing;
  for (Contender& contender : *contenders) {
    const absl::Status status = RunOnce(operands, contender);
    if (stopped_) return absl::OkStatus();
    if (agreeing.empty()) {
      RETURN_IF_ERROR(status);
      ASSIGN_OR_RETURN(expected, operands.CopyOutputs());
    } else if (!status.ok() || !Agree(expected, operands.outputs())) {
      continue;
    }
    // The first run paid for pages and code that were touched for the first time.
    contender.seconds.clear();
    RETURN_IF_ERROR(RunOnce(operands, contender));
    if (stopped_) return absl::OkStatus();
    agreeing.push_back(std::move(contender));
  }
  *contenders = std::move(agreeing);
  return absl::OkStatus();
}

absl::Status KernelTuner::Race(Operands& operands, std::vector<Contender>* contenders) {
  double best = contenders->front().seconds.front();
  for (const Contender& contender : *contenders) best = std::min(best, contender.seconds.front());
  // The provider's own always stays: it is what the others are compared with.
  contenders->erase(std::remove_if(contenders->begin() + 1, contenders->end(),
                                   [&](const Contender& contender) {
                                     return contender.seconds.front() > kHopeless * best;
                                   }),
                    contenders->end());
  if (contenders->size() < 2) return absl::OkStatus();
  double total = 0;
  for (int round = 0; round < kMostRounds; ++round) {
    if (round >= kLeastRounds && total > kRoundSeconds) break;
    for (Contender& contender : *contenders) {
      RETURN_IF_ERROR(RunOnce(operands, contender));
      if (stopped_) return absl::OkStatus();
    }
    total += contenders->front().seconds.back();
  }
  return absl::OkStatus();
}

std::string TuningTable(absl::Span<const TunedStep> steps) {
  std::string table;
  for (const TunedStep& step : steps) {
    if (!step.changed) continue;
    std::vector<CandidateTime> fastest_first = step.candidates;
    std::sort(fastest_first.begin(), fastest_first.end(),
              [](const auto& a, const auto& b) { return a.time < b.time; });
    absl::StrAppend(&table, step.node, ": ",
                    absl::StrJoin(fastest_first, ", ",
                                  [](std::string* out, const CandidateTime& candidate) {
                                    absl::StrAppendFormat(
                                        out, "%s %.3f ms", candidate.name,
                                        absl::ToDoubleMilliseconds(candidate.time));
                                  }),
                    "\n");
  }
  return table;
}

std::string TuningSummary(absl::Span<const TunedStep> steps, absl::Duration used) {
  const auto changed =
      std::count_if(steps.begin(), steps.end(), [](const TunedStep& step) { return step.changed; });
  return absl::StrFormat("%d steps measured in %.2f s, %d of them run faster another way",
                         steps.size(), absl::ToDoubleSeconds(used), changed);
}

}  // namespace inferd
