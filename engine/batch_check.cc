#include "engine/batch_check.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "engine/core/status_macros.h"
#include "engine/random_row.h"

namespace inferd {
namespace {

constexpr int64_t kRows = 3;
// Batched kernels may add in another order; a wrong row is off by far more.
constexpr double kTolerance = 1e-3;

absl::StatusOr<Tensor> Join(const std::vector<Tensor>& rows) {
  Shape shape = rows[0].shape();
  shape[0] = kRows;
  ASSIGN_OR_RETURN(Tensor joined, Tensor::Allocate(rows[0].dtype(), shape));
  if (joined.dtype() == DType::kString) return joined;
  char* target = static_cast<char*>(joined.mutable_raw());
  for (const Tensor& row : rows) {
    std::copy_n(static_cast<const char*>(row.raw()), row.byte_size(), target);
    target += row.byte_size();
  }
  return joined;
}

// Whether the elements of `batch` from `first` on equal `row`, within the tolerance relative to the
// row's largest value. Requires equal types and that there are as many.
bool ElementsAgree(const Tensor& batch, int64_t first, const Tensor& row) {
  const int64_t count = row.num_elements();
  if (row.dtype() == DType::kString) {
    return std::equal(row.data<std::string>(), row.data<std::string>() + count,
                      batch.data<std::string>() + first);
  }
  bool agrees = true;
  auto compare = [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* a = row.data<T>();
    const T* b = batch.data<T>() + first;
    double largest = 0;
    for (int64_t i = 0; i < count; ++i) {
      const double magnitude = std::abs(static_cast<double>(a[i]));
      if (std::isfinite(magnitude)) largest = std::max(largest, magnitude);
    }
    for (int64_t i = 0; i < count && agrees; ++i) {
      const double x = static_cast<double>(a[i]);
      const double y = static_cast<double>(b[i]);
      if (x == y || (std::isnan(x) && std::isnan(y))) continue;
      agrees = IsFloatingPoint(row.dtype()) && std::abs(x - y) <= kTolerance * largest + 1e-7;
    }
    return absl::OkStatus();
  };
  const absl::Status status = row.dtype() == DType::kBool ? compare(TypeTag<bool>())
                                                          : DispatchNumeric(row.dtype(), compare);
  return status.ok() && agrees;
}

// Whether row `r` of `batch` equals `row`.
bool RowAgrees(const Tensor& batch, int64_t r, const Tensor& row) {
  if (batch.kind() != ValueKind::kTensor || row.kind() != ValueKind::kTensor ||
      batch.dtype() != row.dtype() || batch.rank() < 1 || batch.dim(0) != kRows ||
      batch.num_elements() != row.num_elements() * kRows || row.rank() < 1 || row.dim(0) != 1) {
    return false;
  }
  return ElementsAgree(batch, r * row.num_elements(), row);
}

// As many sequences of these lengths as there are.
constexpr int64_t kLengths[] = {5, 3, 8};

absl::StatusOr<std::vector<Tensor>> RunAndCopy(Model& model, CoreSlot& slot,
                                               const std::vector<Tensor>& inputs) {
  std::vector<Tensor> outputs;
  RETURN_IF_ERROR(model.Run(slot, inputs, &outputs));
  for (Tensor& output : outputs) {
    ASSIGN_OR_RETURN(output, output.Clone());
  }
  return outputs;
}

absl::StatusOr<BatchVerdict> Compare(Model& model, CoreSlot& slot, int64_t free_dim) {
  std::mt19937 random(1);
  std::vector<std::vector<Tensor>> alone(kRows);  // inputs by row
  std::vector<Tensor> together;
  for (const TensorInfo& info : model.inputs()) {
    std::vector<Tensor> rows;
    for (int64_t r = 0; r < kRows; ++r) {
      ASSIGN_OR_RETURN(Tensor row, RandomRow(info, free_dim, &random));
      alone[r].push_back(row);
      rows.push_back(std::move(row));
    }
    ASSIGN_OR_RETURN(Tensor joined, Join(rows));
    together.push_back(std::move(joined));
  }
  ASSIGN_OR_RETURN(const std::vector<Tensor> batch, RunAndCopy(model, slot, together));
  for (int64_t r = 0; r < kRows; ++r) {
    ASSIGN_OR_RETURN(const std::vector<Tensor> single, RunAndCopy(model, slot, alone[r]));
    for (size_t i = 0; i < single.size(); ++i) {
      if (!RowAgrees(batch[i], r, single[i])) {
        return BatchVerdict{BatchSafety::kRefused,
                            absl::StrCat("output ", model.outputs()[i].name, " of row ", r,
                                         " changes with the rows beside it")};
      }
    }
  }
  return BatchVerdict{BatchSafety::kTested,
                      "three random rows gave the same answers alone and together"};
}

absl::StatusOr<PackingVerdict> ComparePacked(Model& model, CoreSlot& slot) {
  std::mt19937 random(1);
  std::vector<std::vector<Tensor>> requests;
  for (int64_t length : kLengths) {
    std::vector<Tensor>& request = requests.emplace_back();
    for (const TensorInfo& info : model.inputs()) {
      ASSIGN_OR_RETURN(Tensor row, RandomRow(info, length, &random));
      request.push_back(std::move(row));
    }
  }
  std::vector<std::vector<Tensor>> packed;
  RETURN_IF_ERROR(model.RunPacked(
      slot, std::vector<absl::Span<const Tensor>>(requests.begin(), requests.end()), &packed));
  for (std::vector<Tensor>& outputs : packed) {
    for (Tensor& output : outputs) {
      ASSIGN_OR_RETURN(output, output.Clone());
    }
  }
  for (size_t r = 0; r < requests.size(); ++r) {
    ASSIGN_OR_RETURN(const std::vector<Tensor> alone, RunAndCopy(model, slot, requests[r]));
    for (size_t i = 0; i < alone.size(); ++i) {
      if (alone[i].TypeString() == packed[r][i].TypeString() &&
          ElementsAgree(packed[r][i], 0, alone[i])) {
        continue;
      }
      return PackingVerdict{.reason = absl::StrCat("output ", model.outputs()[i].name,
                                                   " of a sequence of ", kLengths[r],
                                                   " changes with the sequences beside it")};
    }
  }
  return PackingVerdict{.packs = true,
                        .reason =
                            "every node keeps sequences apart, and three of different lengths "
                            "gave the same answers alone and packed"};
}

// The sequences of the three lengths as rows of one request, padded to the longest, whose padding
// `mask_input` marks; all else in it is random.
absl::StatusOr<std::vector<Tensor>> PaddedRequest(const Model& model, int mask_input) {
  std::mt19937 random(2);
  const int64_t longest = *std::max_element(std::begin(kLengths), std::end(kLengths));
  std::vector<Tensor> request;
  for (const TensorInfo& info : model.inputs()) {
    std::vector<Tensor> rows;
    for (const int64_t length : kLengths) {
      ASSIGN_OR_RETURN(Tensor row, RandomRow(info, longest, &random));
      if (static_cast<int>(request.size()) == mask_input) {
        RETURN_IF_ERROR(DispatchNumeric(row.dtype(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          T* const mask = row.mutable_data<T>();
          std::fill_n(mask, longest, T(0));
          std::fill_n(mask, length, T(1));
          return absl::OkStatus();
        }));
      }
      rows.push_back(std::move(row));
    }
    ASSIGN_OR_RETURN(Tensor joined, Join(rows));
    request.push_back(std::move(joined));
  }
  return request;
}

// Why padding must be computed, else OK and `packing` skips it.
absl::Status TestPadding(Model& model, SequencePacking& packing, int mask_input, CoreSlot& slot) {
  ASSIGN_OR_RETURN(const std::vector<Tensor> request, PaddedRequest(model, mask_input));
  ASSIGN_OR_RETURN(const std::vector<Tensor> expected, RunAndCopy(model, slot, request));
  packing.SkipPadding(mask_input);
  std::vector<std::vector<Tensor>> skipped;
  RETURN_IF_ERROR(model.RunPacked(slot, {request}, &skipped));
  for (size_t i = 0; i < expected.size(); ++i) {
    if (expected[i].TypeString() == skipped[0][i].TypeString() &&
        ElementsAgree(skipped[0][i], 0, expected[i])) {
      continue;
    }
    return absl::FailedPreconditionError(
        absl::StrCat("output ", model.outputs()[i].name, " changes without it"));
  }
  return absl::OkStatus();
}

void DecidePadding(Model& model, SequencePacking& packing, const absl::StatusOr<int>& mask_input,
                   CoreSlot& slot, PackingVerdict* verdict) {
  absl::Status status = mask_input.status();
  if (status.ok()) status = TestPadding(model, packing, *mask_input, slot);
  if (status.ok()) {
    verdict->padding_mask = *mask_input;
    absl::StrAppend(&verdict->reason, "; padding within a request is skipped where ",
                    model.inputs()[*mask_input].name, " ends in zeros");
    return;
  }
  packing.SkipPadding(-1);
  absl::StrAppend(&verdict->reason, "; padding within a request is computed: ", status.message());
}

}  // namespace

BatchVerdict TestBatching(Model& model, CoreSlot& slot, int64_t free_dim) {
  for (const TensorInfo& info : model.inputs()) {
    if (!info.type.is_tensor() || info.type.shape.rank() < 1 || info.type.shape[0].known()) {
      return {BatchSafety::kRefused, absl::StrCat("input ", info.name, " has no free dimension 0")};
    }
  }
  absl::StatusOr<BatchVerdict> verdict = Compare(model, slot, free_dim);
  if (verdict.ok()) return *std::move(verdict);
  return {BatchSafety::kRefused,
          absl::StrCat("the test with three rows failed: ", verdict.status().message())};
}

PackingVerdict TestPacking(Model& model, SequencePacking& packing, bool computes_padding,
                           CoreSlot& slot) {
  absl::StatusOr<int> mask_input = absl::FailedPreconditionError("skip_padding is switched off");
  const absl::Status status = packing.Check(computes_padding ? nullptr : &mask_input);
  if (!status.ok()) return {.reason = std::string(status.message())};
  absl::StatusOr<PackingVerdict> verdict = ComparePacked(model, slot);
  if (!verdict.ok()) {
    return {.reason =
                absl::StrCat("the test with three lengths failed: ", verdict.status().message())};
  }
  if (verdict->packs) DecidePadding(model, packing, mask_input, slot, &*verdict);
  return *std::move(verdict);
}

std::string TextOf(const PackingVerdict& verdict) {
  return absl::StrCat(verdict.padding_mask, " ", verdict.reason);
}

PackingVerdict PackingVerdictOf(absl::string_view text) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(text, absl::MaxSplits(' ', 1));
  PackingVerdict verdict;
  if (!absl::SimpleAtoi(parts.first, &verdict.padding_mask)) return {};
  verdict.packs = true;
  verdict.reason = std::string(parts.second);
  return verdict;
}

}  // namespace inferd
