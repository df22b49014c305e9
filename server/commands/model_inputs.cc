#include "server/commands/model_inputs.h"

#include <algorithm>
#include <random>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "engine/core/status_macros.h"
#include "server/commands/npy.h"

namespace inferd {
namespace {

constexpr int64_t kMaxInputBytes = int64_t{8} << 30;

using Named = std::map<std::string, std::string>;

// NAME=VALUE arguments by name; every name must be an input.
absl::StatusOr<Named> ByName(const std::vector<std::string>& arguments, absl::string_view flag,
                             const std::vector<TensorInfo>& inputs) {
  Named result;
  for (const std::string& argument : arguments) {
    const size_t equals = argument.find('=');
    if (equals == std::string::npos) {
      return absl::InvalidArgumentError(
          absl::StrCat(flag, " '", argument, "': expected NAME=VALUE"));
    }
    const std::string name = argument.substr(0, equals);
    const bool known = std::any_of(inputs.begin(), inputs.end(),
                                   [&](const TensorInfo& info) { return info.name == name; });
    if (!known) {
      return absl::InvalidArgumentError(absl::StrCat(
          flag, " '", argument, "': the model has no input '", name, "'; its inputs are ",
          absl::StrJoin(inputs, ", ", [](std::string* out, const TensorInfo& info) {
            absl::StrAppend(out, info.name);
          })));
    }
    if (!result.emplace(name, argument.substr(equals + 1)).second) {
      return absl::InvalidArgumentError(absl::StrCat(flag, " '", name, "' is given twice"));
    }
  }
  return result;
}

// float32 files serve models with types that numpy does not have.
absl::StatusOr<Tensor> AsInputType(Tensor tensor, DType dtype) {
  if (dtype != DType::kBfloat16 || tensor.dtype() != DType::kFloat32) return tensor;
  ASSIGN_OR_RETURN(Tensor converted, Tensor::Allocate(dtype, tensor.shape()));
  std::copy_n(tensor.data<float>(), tensor.num_elements(), converted.mutable_data<Bfloat16>());
  return converted;
}

// Remembers the sizes of named dimensions of one input.
void Bind(const TensorInfo& info, const Shape& shape, std::map<std::string, int64_t>* sizes) {
  if (info.type.shape.rank() != shape.rank()) return;
  for (int i = 0; i < shape.rank(); ++i) {
    if (info.type.shape[i].symbol >= 0) sizes->emplace(info.dim_names[i], shape[i]);
  }
}

absl::StatusOr<Shape> DefaultShape(const TensorInfo& info,
                                   const std::map<std::string, int64_t>& sizes) {
  if (!info.type.shape.has_rank()) {
    return absl::InvalidArgumentError(absl::StrCat("input '", info.name,
                                                   "' has no known rank; give --shape ", info.name,
                                                   "=... or --input ", info.name, "=FILE.npy"));
  }
  Shape shape;
  for (int i = 0; i < info.type.shape.rank(); ++i) {
    const Dim& dim = info.type.shape[i];
    const auto bound = sizes.find(info.dim_names[i]);
    shape.push_back(dim.known()                               ? dim.value
                    : dim.symbol >= 0 && bound != sizes.end() ? bound->second
                                                              : 1);
  }
  return shape;
}

absl::Status FillSeeded(uint64_t seed, Tensor* tensor) {
  const int64_t count = tensor->num_elements();
  if (tensor->dtype() == DType::kString) {
    std::fill_n(tensor->mutable_data<std::string>(), count, "1");
    return absl::OkStatus();
  }
  if (tensor->dtype() == DType::kBool) {
    std::fill_n(tensor->mutable_data<bool>(), count, true);
    return absl::OkStatus();
  }
  if (IsFloatingPoint(tensor->dtype())) {
    std::mt19937_64 random(seed);
    std::normal_distribution<double> normal;
    return DispatchFloat(tensor->dtype(), [&](auto tag) {
      using T = typename decltype(tag)::type;
      std::generate_n(tensor->mutable_data<T>(), count,
                      [&] { return static_cast<T>(static_cast<float>(normal(random))); });
      return absl::OkStatus();
    });
  }
  if (ElementBytes(tensor->dtype()) == 1) {  // 8 bits and below, of whatever format
    std::fill_n(static_cast<uint8_t*>(tensor->mutable_raw()), count, uint8_t{1});
    return absl::OkStatus();
  }
  return DispatchInteger(tensor->dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    std::fill_n(tensor->mutable_data<T>(), count, T(1));
    return absl::OkStatus();
  });
}

absl::StatusOr<Tensor> SeededInput(const TensorInfo& info, const Shape& shape, uint64_t seed) {
  ASSIGN_OR_RETURN(Tensor tensor,
                   Tensor::Allocate(info.type.dtype, shape, Layout::kRowMajor, kMaxInputBytes));
  RETURN_IF_ERROR(FillSeeded(seed, &tensor));
  return tensor;
}

}  // namespace

absl::StatusOr<Shape> ParseShape(const std::string& text) {
  if (text.empty()) return Shape();
  Shape shape;
  for (absl::string_view part : absl::StrSplit(text, absl::ByAnyChar("x,"))) {
    int64_t dim = 0;
    if (!absl::SimpleAtoi(part, &dim) || dim < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", text, "' is no shape; expected sizes such as 1x3x224x224"));
    }
    shape.push_back(dim);
  }
  RETURN_IF_ERROR(shape.CheckedElements().status());
  return shape;
}

absl::StatusOr<std::vector<Tensor>> MakeInputs(const std::vector<TensorInfo>& inputs,
                                               const InputArguments& arguments) {
  ASSIGN_OR_RETURN(const Named files, ByName(arguments.files, "--input", inputs));
  ASSIGN_OR_RETURN(const Named shapes, ByName(arguments.shapes, "--shape", inputs));
  std::vector<Tensor> tensors(inputs.size());
  std::map<std::string, Shape> given_shapes;
  std::map<std::string, int64_t> sizes;  // of named dimensions
  for (size_t i = 0; i < inputs.size(); ++i) {
    const std::string& name = inputs[i].name;
    if (const auto file = files.find(name); file != files.end()) {
      ASSIGN_OR_RETURN(Tensor tensor, ReadNpy(file->second));
      ASSIGN_OR_RETURN(tensors[i], AsInputType(std::move(tensor), inputs[i].type.dtype));
      Bind(inputs[i], tensors[i].shape(), &sizes);
    } else if (const auto text = shapes.find(name); text != shapes.end()) {
      absl::StatusOr<Shape> shape = ParseShape(text->second);
      if (!shape.ok()) return Annotate(shape.status(), absl::StrCat("--shape ", name));
      Bind(inputs[i], *shape, &sizes);
      given_shapes[name] = *shape;
    }
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    const TensorInfo& info = inputs[i];
    if (files.count(info.name) > 0) continue;
    if (!info.type.is_tensor()) {
      return absl::UnimplementedError(absl::StrCat("input '", info.name, "' is a ",
                                                   info.type.ToString(),
                                                   "; only tensors can be given here"));
    }
    Shape shape;
    if (const auto given = given_shapes.find(info.name); given != given_shapes.end()) {
      shape = given->second;
    } else {
      ASSIGN_OR_RETURN(shape, DefaultShape(info, sizes));
    }
    absl::StatusOr<Tensor> tensor = SeededInput(info, shape, i + 1);
    if (!tensor.ok()) return Annotate(tensor.status(), absl::StrCat("input '", info.name, "'"));
    tensors[i] = *std::move(tensor);
  }
  return tensors;
}

std::vector<Shape> ShapesOf(const std::vector<Tensor>& tensors) {
  std::vector<Shape> shapes;
  for (const Tensor& tensor : tensors) shapes.push_back(tensor.shape());
  return shapes;
}

std::string SignatureText(const TensorInfo& info) {
  if (!info.type.is_tensor() || !info.type.shape.has_rank()) return info.type.ToString();
  return absl::StrCat(DTypeName(info.type.dtype), "[", absl::StrJoin(info.dim_names, ","), "]");
}

}  // namespace inferd
