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
#include "engine/plan/device_weights.h"
#include "engine/plan/weight_store.h"
#include "engine/providers/device.h"
#include "engine/providers/providers.h"
#include "engine/runtime/step_operands.h"

namespace inferd {
namespace {

using SteadyClock = std::chrono::steady_clock;

// A candidate replaces the provider's own choice when it is faster by at least this: less may be
// noise, and is not worth weights packed twice until no request uses the old plan any more.
constexpr double kLeastGain = 0.1;
// On a device times have less noise, and all candidates read the same packed weights.
constexpr double kLeastDeviceGain = 0.03;
// A candidate this much slower than the best after one run each is not run again.
constexpr double kHopeless = 2.0;
constexpr int kLeastRounds = 7;
constexpr int kMostRounds = 31;
// Rounds above the least go on for this long a candidate.
constexpr double kRoundSeconds = 0.03;
// Of the largest magnitude of the output.
constexpr double kFloatTolerance = 1e-4;
constexpr double kNarrowTolerance = 3e-2;
constexpr absl::Duration kRetryAfter = absl::Milliseconds(2);
constexpr size_t kColdBytesAtLeast = 4 << 20;

double Seconds(SteadyClock::time_point from, SteadyClock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

size_t ColdBytes() {
  const long level2 = sysconf(_SC_LEVEL2_CACHE_SIZE);
  return std::max<size_t>(kColdBytesAtLeast, level2 > 0 ? 2 * static_cast<size_t>(level2) : 0);
}

unsigned TouchLines(const std::vector<char>& memory) {
  unsigned sum = 0;
  for (size_t i = 0; i < memory.size(); i += 64) sum += static_cast<unsigned char>(memory[i]);
  return sum;
}

double NumberAt(const Tensor& tensor, int64_t i) {
  switch (tensor.dtype()) {
    case DType::kFloat32:
      return tensor.data<float>()[i];
    case DType::kBfloat16:
      return static_cast<float>(tensor.data<Bfloat16>()[i]);
    case DType::kFloat16:
      return static_cast<float>(tensor.data<Float16>()[i]);
    case DType::kInt32:
      return tensor.data<int32_t>()[i];
    case DType::kInt8:
      return tensor.data<int8_t>()[i];
    case DType::kUint8:
      return tensor.data<uint8_t>()[i];
    default:
      return 0;
  }
}

// How far numbers may be apart whose largest one is this.
double ToleranceOf(DType dtype, double largest) {
  switch (dtype) {
    case DType::kFloat32:
      return kFloatTolerance * largest;
    case DType::kInt32:
      return 0;
    case DType::kInt8:
    case DType::kUint8:
      return 1;  // rounded either way
    default:
      return kNarrowTolerance * largest;
  }
}

bool Agree(absl::Span<const Tensor> a, absl::Span<const Tensor> b) {
  for (size_t t = 0; t < a.size(); ++t) {
    double largest = 0;
    double difference = 0;
    for (int64_t i = 0; i < a[t].num_elements(); ++i) {
      const double x = NumberAt(a[t], i);
      const double y = NumberAt(b[t], i);
      if (!std::isfinite(y)) return false;
      largest = std::max(largest, std::abs(x));
      difference = std::max(difference, std::abs(x - y));
    }
    if (difference > ToleranceOf(a[t].dtype(), largest)) return false;
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
    const std::string key = StepKey(bound, node, provider->tuning_identity(), environment_.threads);
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
  ExecutionProvider* provider = inferd::ProviderOf(environment_.providers, graph, node);
  const bool lost =
      provider != nullptr && provider->device() != nullptr && !provider->device()->usable();
  return lost ? nullptr : provider;
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
    ASSIGN_OR_RETURN(const std::unique_ptr<StepOperands> operands,
                     StepOperands::Make(graph, node, provider.device()));
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
  const double least_gain = provider.device() == nullptr ? kLeastGain : kLeastDeviceGain;
  if (fastest != step.candidates.end() &&
      fastest->time < step.candidates[0].time * (1 - least_gain)) {
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
  WeightStore store(environment_.weights);
  DeviceWeights device_weights;
  std::set<std::string> descriptions;
  for (const std::string& name : names) {
    Contender contender{.name = name};
    PrepareContext context{.weights = &store,
                           .threads = environment_.threads,
                           .candidate = contender.name,
                           .device_weights = &device_weights};
    const bool ran = OnIdleSlot([&](CoreSlot&) {
      auto kernel = provider.Prepare(graph, node, context);
      contender.status = kernel.status();
      if (kernel.ok()) contender.kernel = *std::move(kernel);
    });
    if (!ran) return absl::OkStatus();
    if (contenders->empty()) {
      // A device leaves the node to the host.
      if (provider.device() != nullptr && absl::IsUnimplemented(contender.status)) break;
      RETURN_IF_ERROR(contender.status);
    }
    // The weights cannot be read any more.
    if (absl::IsFailedPrecondition(contender.status)) return contender.status;
    // A candidate that cannot run this node is prepared as another one.
    if (!contender.status.ok() || !descriptions.insert(contender.kernel->description()).second) {
      continue;
    }
    contenders->push_back(std::move(contender));
  }
  return absl::OkStatus();
}

absl::Status KernelTuner::RunOnce(StepOperands& operands, Contender& contender) {
  OnIdleSlot([&](CoreSlot& slot) {
    if (operands.on_device()) {
      const auto time = operands.TimeOnDevice(*contender.kernel);
      contender.status = time.status();
      if (time.ok()) contender.seconds.push_back(absl::ToDoubleSeconds(*time));
      return;
    }
    void* const scratch = slot.Arena(std::max<int64_t>(contender.kernel->scratch_bytes(), 1));
    const StepContext context = operands.HostContext(scratch, environment_.threads);
    if (scratch == nullptr) {
      contender.status = absl::ResourceExhaustedError("out of memory for a kernel's scratch");
      return;
    }
    if (cold_.empty()) cold_.assign(ColdBytes(), 1);
    volatile unsigned touched = TouchLines(cold_);
    touched = touched + operands.TouchActivations();
    const SteadyClock::time_point start = SteadyClock::now();
    contender.status = contender.kernel->Run(context);
    contender.seconds.push_back(Seconds(start, SteadyClock::now()));
  });
  return contender.status;
}

absl::Status KernelTuner::Compare(StepOperands& operands, std::vector<Contender>* contenders) {
  std::vector<Tensor> expected;
  std::vector<Contender> agreeing;
  for (Contender& contender : *contenders) {
    const absl::Status status = RunOnce(operands, contender);
    if (stopped_) return absl::OkStatus();
    if (agreeing.empty()) {
      RETURN_IF_ERROR(status);
      ASSIGN_OR_RETURN(expected, operands.CopyOutputs());
    } else {
      if (!status.ok()) continue;
      ASSIGN_OR_RETURN(const std::vector<Tensor> outputs, operands.CopyOutputs());
      if (!Agree(expected, outputs)) continue;
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

absl::Status KernelTuner::Race(StepOperands& operands, std::vector<Contender>* contenders) {
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
