#include "engine/input_check.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/core/status_macros.h"

namespace inferd {
namespace {

absl::Status WrongInput(const TensorInfo& info, const Tensor& got) {
  return absl::InvalidArgumentError(
      absl::StrCat("input '", info.name, "': expected ", DTypeName(info.type.dtype), "[",
                   absl::StrJoin(info.dim_names, ","), "], got ", got.TypeString()));
}

bool FitsShape(const SymbolicShape& expected, const Shape& got) {
  if (!expected.has_rank()) return true;
  if (expected.rank() != got.rank()) return false;
  for (int i = 0; i < got.rank(); ++i) {
    if (expected[i].known() && expected[i].value != got[i]) return false;
  }
  return true;
}

// `sizes`: of the symbols seen so far; -1: not yet.
absl::Status CheckSymbols(const TensorInfo& info, const Tensor& input,
                          const std::vector<std::string>& symbols, std::vector<int64_t>* sizes) {
  for (int d = 0; d < info.type.shape.rank(); ++d) {
    const int32_t symbol = info.type.shape[d].symbol;
    if (symbol < 0) continue;
    int64_t& size = (*sizes)[symbol];
    if (size >= 0 && size != input.dim(d)) {
      return absl::InvalidArgumentError(absl::StrCat("input '", info.name, "': dimension ", d,
                                                     " ('", symbols[symbol], "') is ", input.dim(d),
                                                     ", but another input has ", size));
    }
    size = input.dim(d);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckInputs(absl::Span<const Tensor> inputs, const std::vector<TensorInfo>& expected,
                         const std::vector<std::string>& symbols) {
  if (inputs.size() != expected.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("expected ", expected.size(), " inputs, got ", inputs.size()));
  }
  std::vector<int64_t> sizes(symbols.size(), -1);
  for (size_t i = 0; i < inputs.size(); ++i) {
    const TensorInfo& info = expected[i];
    if (inputs[i].kind() != info.type.kind) return WrongInput(info, inputs[i]);
    if (!info.type.is_tensor()) continue;
    if (inputs[i].dtype() != info.type.dtype || !FitsShape(info.type.shape, inputs[i].shape())) {
      return WrongInput(info, inputs[i]);
    }
    RETURN_IF_ERROR(CheckSymbols(info, inputs[i], symbols, &sizes));
  }
  return absl::OkStatus();
}

}  // namespace inferd
