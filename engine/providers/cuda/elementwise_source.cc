#include "engine/providers/cuda/elementwise_source.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace inferd::cuda {
namespace {

// Of one access of a thread, the widest that there is.
constexpr int kAccessBytes = 16;
// Values of a thread are in registers.
constexpr int kMostTogether = 8;
constexpr int kMostWideTogether = 4;

int BytesOf(Type type) {
  switch (type) {
    case Type::kFloat64:
    case Type::kInt64:
      return 8;
    case Type::kFloat32:
    case Type::kInt32:
      return 4;
    case Type::kFloat16:
    case Type::kBfloat16:
      return 2;
    case Type::kInt8:
    case Type::kUint8:
    case Type::kBool:
      return 1;
  }
  return 1;
}

absl::string_view NumberOf(Arithmetic arithmetic) {
  switch (arithmetic) {
    case Arithmetic::kFloat:
      return "float";
    case Arithmetic::kDouble:
      return "double";
    case Arithmetic::kInteger:
      return "long long";
  }
  return "float";
}

// Writes one source. Used by one thread, once.
class SourceWriter {
 public:
  SourceWriter(const ElementwiseProgram& program, ElementwiseSource::Sizes sizes)
      : program_(program),
        constants_(sizes == ElementwiseSource::Sizes::kConstants),
        together_(Together()) {}

  ElementwiseSource Write() {
    text_ =
        "#include \"engine/providers/cuda/launch/generated_chain.cuh\"\n"
        "using namespace inferd::cuda;\n";
    // Divisions of 32 bits are several times as fast.
    const bool narrow = program_.elements <= INT32_MAX;
    absl::StrAppend(&text_, "using Number = ", NumberOf(program_.arithmetic), ";\n",
                    "using Index = ", narrow ? "uint32_t" : "int64_t", ";\n\n",
                    "template <int kCount>\n__device__ __forceinline__ void Elements(",
                    "const ChainArguments& chain, Index first) {\n");
    WriteCoordinates();
    for (int k = 0; k < program_.num_inputs; ++k) WriteLoad(k);
    WriteInstructions();
    absl::StrAppend(&text_, "  StoreTogether<Number, Type(", static_cast<int>(program_.output_type),
                    "), kCount>(chain.output, first, v0);\n", "}\n\n");
    WriteKernel();
    return {std::move(text_), together_};
  }

 private:
  int rank() const { return program_.dims.rank; }
  bool AllDense() const {
    return std::all_of(program_.inputs, program_.inputs + program_.num_inputs,
                       [](const ElementwiseInput& input) { return input.dense; });
  }
  int64_t LastStride(const ElementwiseInput& input) const {
    return input.dense ? 1 : rank() == 0 ? 0 : input.strides.at[rank() - 1];
  }

  // Whether the elements of `count` neighbours lie as such, at a multiple of so many.
  bool LieTogether(const ElementwiseInput& input, int count) const {
    if (LastStride(input) != 1) return false;
    for (int d = 0; !input.dense && d < rank() - 1; ++d) {
      if (input.strides.at[d] % count != 0) return false;
    }
    return true;
  }

  // As many as the narrowest type has in an access, where no neighbours are in different rows.
  int Together() const {
    int bytes = BytesOf(program_.output_type);
    for (int k = 0; k < program_.num_inputs; ++k) {
      if (LastStride(program_.inputs[k]) == 1) {
        bytes = std::min(bytes, BytesOf(program_.inputs[k].type));
      }
    }
    int count =
        std::min(kAccessBytes / bytes,
                 program_.arithmetic == Arithmetic::kFloat ? kMostTogether : kMostWideTogether);
    while (rank() > 1 && program_.dims.size[rank() - 1] % count != 0) count /= 2;
    return count;
  }

  std::string Size(int d) const {
    return constants_ ? absl::StrCat(program_.dims.size[d])
                      : absl::StrCat("static_cast<Index>(chain.dims.size[", d, "])");
  }
  std::string Stride(int k, int d) const {
    const int64_t stride = program_.inputs[k].strides.at[d];
    return constants_ || stride == 1 ? absl::StrCat(stride)
                                     : absl::StrCat("chain.strides[", k, "].at[", d, "]");
  }

  // The position in each dimension but those in which no input moves.
  void WriteCoordinates() {
    if (AllDense()) return;
    absl::StrAppend(&text_, "  Index rest = first;\n");
    for (int d = rank() - 1; d > 0; --d) {
      absl::StrAppend(&text_, "  const int64_t c", d, " = rest % ", Size(d), ";\n",
                      "  rest /= ", Size(d), ";\n");
    }
    if (rank() > 0) absl::StrAppend(&text_, "  const int64_t c0 = rest;\n");
  }

  void WriteLoad(int k) {
    const ElementwiseInput& input = program_.inputs[k];
    std::string at = input.dense ? "first" : "";
    for (int d = 0; !input.dense && d < rank(); ++d) {
      if (input.strides.at[d] == 0) continue;
      absl::StrAppend(&at, at.empty() ? "" : " + ", "c", d, " * ", Stride(k, d));
    }
    if (at.empty()) at = "0";
    const int64_t step = LastStride(input);
    const bool together = LieTogether(input, together_);
    absl::StrAppend(
        &text_, "  Number v", k, "[kCount];\n  ",
        together    ? "LoadTogether"
        : step == 0 ? "LoadOne"
                    : "LoadApart",
        "<Number, Type(", static_cast<int>(input.type), "), kCount>(chain.inputs[", k, "], ", at,
        together || step == 0 ? "" : absl::StrCat(", ", Stride(k, rank() - 1)), ", v", k, ");\n");
  }

  std::string Operand(int input) const {
    return input == kNumber ? "Number(0)" : absl::StrCat("v", input, "[u]");
  }

  void WriteInstructions() {
    absl::StrAppend(&text_, "#pragma unroll\n  for (int u = 0; u < kCount; ++u) {\n",
                    "    Number x = v0[u];\n");
    for (int n = 0; n < program_.num_instructions; ++n) {
      const Instruction& step = program_.instructions[n];
      const std::string p = absl::StrFormat("%af", step.p);
      const std::string y =
          step.y == kNumber ? absl::StrCat("static_cast<Number>(", p, ")") : Operand(step.y);
      absl::StrAppend(&text_, "    x = Apply<Number>(Instruction{Code(",
                      static_cast<int>(step.code), "), false, kNumber, kNumber, ", p, ", ",
                      absl::StrFormat("%af", step.q), "}, ", step.reversed ? y : "x", ", ",
                      step.reversed ? "x" : y, ", ", Operand(step.z), ");\n");
    }
    absl::StrAppend(&text_, "    v0[u] = x;\n  }\n");
  }

  // Where rows have whole numbers of `together_`, so has everything; else the first threads take
  // what is left.
  void WriteKernel() {
    absl::StrAppend(
        &text_, "extern \"C\" __global__ void __launch_bounds__(", ElementwiseSource::kThreads,
        ")\n    ", ElementwiseSource::kKernel, "(const __grid_constant__ ChainArguments chain) {\n",
        "  const Index elements = static_cast<Index>(chain.elements);\n",
        "  const Index whole = elements / ", together_, ";\n",
        "  const Index thread = static_cast<Index>(blockIdx.x) * blockDim.x + threadIdx.x;\n",
        "  const Index threads = static_cast<Index>(gridDim.x) * blockDim.x;\n",
        "  for (Index i = thread; i < whole; i += threads) Elements<", together_, ">(chain, i * ",
        together_, ");\n");
    if (together_ > 1 && rank() <= 1) {
      absl::StrAppend(&text_, "  if (thread < elements - whole * ", together_,
                      ") Elements<1>(chain, whole * ", together_, " + thread);\n");
    }
    absl::StrAppend(&text_, "}\n");
  }

  const ElementwiseProgram& program_;
  const bool constants_;
  const int together_;
  std::string text_;
};

}  // namespace

std::optional<ElementwiseSource> ElementwiseSource::Of(const ElementwiseProgram& program,
                                                       Sizes sizes) {
  for (int n = 0; n < program.num_instructions; ++n) {
    const Instruction& step = program.instructions[n];
    if (!std::isfinite(step.p) || !std::isfinite(step.q)) return std::nullopt;
  }
  return SourceWriter(program, sizes).Write();
}

}  // namespace inferd::cuda
