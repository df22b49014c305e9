#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/cast.h"
#include "engine/ops/dtype_attribute.h"
#include "engine/ops/index_check.h"
#include "engine/ops/normalization.h"
#include "engine/ops/op_def.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::onnx {
namespace {

enum Input { kMelBins, kDftLength, kSampleRate, kLowerEdge, kUpperEdge };

absl::StatusOr<DType> OutputType(const Attributes& attributes) {
  return ReadDType(attributes, "output_datatype", DType::kFloat32,
                   {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kBfloat16,
                    DType::kInt8, DType::kInt16, DType::kInt32, DType::kInt64, DType::kUint8,
                    DType::kUint16, DType::kUint32, DType::kUint64});
}

absl::StatusOr<int64_t> AtLeastOne(const Tensor& tensor, absl::string_view name) {
  ASSIGN_OR_RETURN(const int64_t value, OneInteger(tensor, name));
  if (value >= 1 && value < INT64_C(1) << 40) return value;
  return absl::InvalidArgumentError(absl::StrCat(name, " is ", value, ", expected at least 1"));
}

absl::Status Infer(InferContext& context) {
  for (int i : {kMelBins, kDftLength, kSampleRate}) {
    RETURN_IF_ERROR(CheckInputType(context, i, {DType::kInt32, DType::kInt64}));
  }
  for (int i : {kLowerEdge, kUpperEdge}) {
    RETURN_IF_ERROR(CheckInputType(
        context, i, {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kBfloat16}));
  }
  ASSIGN_OR_RETURN(const DType dtype, OutputType(context.attributes()));
  Dim spectrum = Dim::Unknown(), bands = Dim::Unknown();
  if (const Tensor* length = context.constant(kDftLength)) {
    ASSIGN_OR_RETURN(const int64_t value, AtLeastOne(*length, "dft_length"));
    spectrum = value / 2 + 1;
  }
  if (const Tensor* count = context.constant(kMelBins)) {
    ASSIGN_OR_RETURN(bands, AtLeastOne(*count, "num_mel_bins"));
  }
  context.SetOutput(0, dtype, {spectrum, bands});
  return absl::OkStatus();
}

absl::StatusOr<double> ReadHertz(const Tensor& tensor, absl::string_view name) {
  ASSIGN_OR_RETURN(const std::vector<double> values, ToDoubles(tensor));
  if (values.size() == 1 && values[0] >= 0 && values[0] <= 1e15) return values[0];
  return absl::InvalidArgumentError(
      absl::StrCat(name, " is ", tensor.TypeString(), ", expected one frequency of at least 0"));
}

double ToMel(double hertz) { return 2595 * std::log10(1 + hertz / 700); }
double ToHertz(double mel) { return 700 * (std::pow(10, mel / 2595) - 1); }

// Band b's triangle rises from the spectrum's bin edges[b] to edges[b + 1] and falls to
// edges[b + 2]. The edges are whole numbers and may lie outside the spectrum.
void FillBand(const double* edges, int64_t bins, int64_t bands, double* column) {
  const double last = static_cast<double>(bins);
  const auto bin = [last](double edge) { return static_cast<int64_t>(std::min(edge, last)); };
  for (int64_t j = bin(edges[0]); j < std::min(bin(edges[1]) + 1, bins); ++j) {
    const double width = edges[1] - edges[0];
    column[j * bands] = width == 0 ? 1 : (static_cast<double>(j) - edges[0]) / width;
  }
  for (int64_t j = bin(edges[1]); j < bin(edges[2]); ++j) {
    column[j * bands] = (edges[2] - static_cast<double>(j)) / (edges[2] - edges[1]);
  }
}

absl::Status Compute(KernelContext& context) {
  ASSIGN_OR_RETURN(const int64_t bands, AtLeastOne(context.input(kMelBins), "num_mel_bins"));
  ASSIGN_OR_RETURN(const int64_t length, AtLeastOne(context.input(kDftLength), "dft_length"));
  ASSIGN_OR_RETURN(const int64_t rate, AtLeastOne(context.input(kSampleRate), "sample_rate"));
  ASSIGN_OR_RETURN(const double lower, ReadHertz(context.input(kLowerEdge), "lower_edge_hertz"));
  ASSIGN_OR_RETURN(const double upper, ReadHertz(context.input(kUpperEdge), "upper_edge_hertz"));
  if (lower > upper) {
    return absl::InvalidArgumentError(
        absl::StrCat("lower_edge_hertz ", lower, " is above upper_edge_hertz ", upper));
  }
  ASSIGN_OR_RETURN(const DType dtype, OutputType(context.attributes()));
  const Shape shape({length / 2 + 1, bands});
  RETURN_IF_ERROR(shape.CheckedElements().status());
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, dtype, shape));
  ASSIGN_OR_RETURN(Tensor wide, Tensor::Allocate(DType::kFloat64, shape, Layout::kRowMajor,
                                                 context.limit_bytes()));
  std::fill_n(wide.mutable_data<double>(), wide.num_elements(), 0);
  const double step = (ToMel(upper) - ToMel(lower)) / static_cast<double>(bands + 2);
  std::vector<double> edges;
  for (int64_t i = 0; i < bands + 2; ++i) {
    const double hertz = ToHertz(ToMel(lower) + static_cast<double>(i) * step);
    const double position = static_cast<double>(length + 1) * std::max(hertz, 0.0);
    edges.push_back(std::floor(position / static_cast<double>(rate)));
  }
  for (int64_t b = 0; b < bands; ++b) {
    FillBand(edges.data() + b, shape[0], bands, wide.mutable_data<double>() + b);
  }
  return CastElements(wide, y);
}

}  // namespace

OpDef MelWeightMatrix() {
  return {.name = "MelWeightMatrix",
          .since = 17,
          .min_inputs = 5,
          .max_inputs = 5,
          .attributes = {{"output_datatype", AttributeKind::kInt}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
