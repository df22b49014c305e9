#include "engine/precision_check.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "engine/core/status_macros.h"
#include "engine/random_row.h"

namespace inferd {
namespace {

constexpr int kRows = 3;
// Sizes tried for free dimensions; models may need a least one.
constexpr int64_t kFreeDims[] = {32, 8, 224};
constexpr double kLeastGain = 1.05;
constexpr int kMostRuns = 10;
constexpr absl::Duration kTimeEnough = absl::Milliseconds(20);

struct TimedRun {
  std::vector<Tensor> outputs;
  absl::Duration time;
};

// The outputs and the least time of a few runs after one that makes the plan.
absl::StatusOr<TimedRun> RunAndTime(Model& model, CoreSlot& slot,
                                    const std::vector<Tensor>& inputs) {
  TimedRun run;
  RETURN_IF_ERROR(model.Run(slot, inputs, &run.outputs));
  run.time = absl::InfiniteDuration();
  const absl::Time begin = absl::Now();
  for (int i = 0; i < kMostRuns && absl::Now() - begin < kTimeEnough; ++i) {
    const absl::Time start = absl::Now();
    RETURN_IF_ERROR(model.Run(slot, inputs, &run.outputs));
    run.time = std::min(run.time, absl::Now() - start);
  }
  for (Tensor& output : run.outputs) {
    ASSIGN_OR_RETURN(output, output.Clone());
  }
  return run;
}

absl::StatusOr<std::vector<Tensor>> RandomRequest(const Model& model, int64_t free_dim,
                                                  std::mt19937* random) {
  std::vector<Tensor> request;
  for (const TensorInfo& info : model.inputs()) {
    if (!info.type.is_tensor()) {
      return absl::InvalidArgumentError(absl::StrCat("input ", info.name, " is no tensor"));
    }
    ASSIGN_OR_RETURN(Tensor row, RandomRow(info, free_dim, random));
    request.push_back(std::move(row));
  }
  return request;
}

absl::StatusOr<PrecisionVerdict> Compare(Model& reference, Model& narrower, int64_t free_dim,
                                         const PrecisionBudget& budget, CoreSlot& slot) {
  std::mt19937 random(1);
  double error = 0;
  absl::Duration before = absl::InfiniteDuration();
  absl::Duration after = absl::InfiniteDuration();
  for (int row = 0; row < kRows; ++row) {
    ASSIGN_OR_RETURN(const std::vector<Tensor> request,
                     RandomRequest(reference, free_dim, &random));
    ASSIGN_OR_RETURN(const TimedRun expected, RunAndTime(reference, slot, request));
    ASSIGN_OR_RETURN(const TimedRun got, RunAndTime(narrower, slot, request));
    before = std::min(before, expected.time);
    after = std::min(after, got.time);
    for (size_t i = 0; i < expected.outputs.size(); ++i) {
      error = std::max(error, OutputError(expected.outputs[i], got.outputs[i]));
    }
  }
  const double gain = absl::FDivDuration(before, std::max(after, absl::Nanoseconds(1)));
  const std::string measured =
      absl::StrFormat("answers to three random rows are off by %.2g, at most %.2g is allowed",
                      error, budget.max_error);
  if (!(error <= budget.max_error)) return PrecisionVerdict{false, measured};
  if (budget.must_be_faster && gain < kLeastGain) {
    return PrecisionVerdict{
        false, absl::StrFormat("it is %.2f times as fast, less than %.2f", gain, kLeastGain)};
  }
  return PrecisionVerdict{true, absl::StrFormat("%s; %.2f times as fast", measured, gain)};
}

// The share of elements that are not the same.
double OtherElements(const Tensor& reference, const Tensor& output) {
  const int64_t count = reference.num_elements();
  int64_t other = 0;
  if (reference.dtype() == DType::kString) {
    for (int64_t i = 0; i < count; ++i) {
      other += reference.data<std::string>()[i] != output.data<std::string>()[i];
    }
  } else {
    const int64_t bytes = ElementBytes(reference.dtype());
    const char* a = static_cast<const char*>(reference.raw());
    const char* b = static_cast<const char*>(output.raw());
    for (int64_t i = 0; i < count; ++i, a += bytes, b += bytes) {
      other += !std::equal(a, a + bytes, b);
    }
  }
  return static_cast<double>(other) / static_cast<double>(count);
}

// The root of the mean square of the differences by that of the reference; 1 where only one is a
// number.
double RelativeDifference(const Tensor& reference, const Tensor& output) {
  double differences = 0;
  double squares = 0;
  bool comparable = true;
  const absl::Status status = DispatchNumeric(reference.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (int64_t i = 0; i < reference.num_elements(); ++i) {
      const auto x = static_cast<double>(reference.data<T>()[i]);
      const auto y = static_cast<double>(output.data<T>()[i]);
      if (x == y || (std::isnan(x) && std::isnan(y))) {
        squares += std::isfinite(x) ? x * x : 0;
      } else if (std::isfinite(x) && std::isfinite(y)) {
        differences += (x - y) * (x - y);
        squares += x * x;
      } else {
        comparable = false;
      }
    }
    return absl::OkStatus();
  });
  if (!status.ok() || !comparable) return 1;
  return differences == 0 ? 0 : std::sqrt(differences / std::max(squares, 1e-30));
}

}  // namespace

double OutputError(const Tensor& reference, const Tensor& output) {
  if (reference.kind() != ValueKind::kTensor || reference.TypeString() != output.TypeString()) {
    return 1;
  }
  if (reference.num_elements() == 0) return 0;
  return IsFloatingPoint(reference.dtype()) ? RelativeDifference(reference, output)
                                            : OtherElements(reference, output);
}

PrecisionVerdict ComparePrecisions(Model& reference, Model& narrower, const PrecisionBudget& budget,
                                   CoreSlot& slot) {
  absl::Status error;
  for (const int64_t free_dim : kFreeDims) {
    absl::StatusOr<PrecisionVerdict> verdict = Compare(reference, narrower, free_dim, budget, slot);
    if (verdict.ok()) return *std::move(verdict);
    error = verdict.status();
  }
  return {false, absl::StrCat("the test with three rows failed: ", error.message())};
}

std::string TextOf(const PrecisionVerdict& verdict) {
  return absl::StrCat(verdict.accepted ? "1" : "0", verdict.reason);
}

PrecisionVerdict PrecisionVerdictOf(absl::string_view text) {
  if (text.size() < 2 || (text[0] != '0' && text[0] != '1')) return {};
  return {text[0] == '1', std::string(text.substr(1))};
}

}  // namespace inferd
