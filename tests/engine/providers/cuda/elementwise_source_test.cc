#include "engine/providers/cuda/elementwise_source.h"

#include <limits>
#include <utility>

#include "absl/strings/match.h"
#include "engine/providers/cuda/nvrtc_compiler.h"
#include "gtest/gtest.h"

namespace inferd::cuda {
namespace {

using Sizes = ElementwiseSource::Sizes;

constexpr Type kTypes[] = {Type::kFloat32, Type::kFloat16, Type::kBfloat16,
                           Type::kFloat64, Type::kInt32,   Type::kInt64,
                           Type::kInt8,    Type::kUint8,   Type::kBool};

Arithmetic ArithmeticOf(Type type) {
  if (type == Type::kFloat64) return Arithmetic::kDouble;
  const bool floats = type == Type::kFloat32 || type == Type::kFloat16 || type == Type::kBfloat16;
  return floats ? Arithmetic::kFloat : Arithmetic::kInteger;
}

// The instructions from `first` on, as many as fit, over [rows, 24]: a dense operand, a row, a
// column and a number take turns.
ElementwiseProgram ProgramOf(Type type, int first) {
  ElementwiseProgram program;
  program.arithmetic = ArithmeticOf(type);
  program.dims = {2, {10, 24}};
  program.elements = 240;
  program.output_type = type;
  program.num_inputs = 3;
  program.inputs[0] = {nullptr, type, true, {{24, 1}}};
  program.inputs[1] = {nullptr, type, false, {{0, 1}}};
  program.inputs[2] = {nullptr, Type::kFloat32, false, {{1, 0}}};
  for (int code = first; code <= static_cast<int>(Code::kSelect); ++code) {
    if (program.num_instructions == kMaxInstructions) break;
    Instruction& step = program.instructions[program.num_instructions++];
    step.code = static_cast<Code>(code);
    step.reversed = code % 2 == 1;
    step.y = static_cast<int8_t>(code % 4 == 0 ? kNumber : code % 3);
    step.z = static_cast<int8_t>(code % 3);
    step.p = 0.1f * static_cast<float>(code);
    step.q = 1.5f;
  }
  return program;
}

TEST(ElementwiseSource, IsTheSameForBatchesOfAnySize) {
  ElementwiseProgram program = ProgramOf(Type::kFloat32, 0);
  const auto small = ElementwiseSource::Of(program, Sizes::kConstants);
  program.dims.size[0] = 77;
  program.elements = 77 * 24;
  EXPECT_EQ(ElementwiseSource::Of(program, Sizes::kConstants)->text, small->text);
  program.dims.size[1] = 20;
  program.elements = 77 * 20;
  EXPECT_NE(ElementwiseSource::Of(program, Sizes::kConstants)->text, small->text);
}

TEST(ElementwiseSource, IsTheSameForAllSizesThatAreArguments) {
  ElementwiseProgram program = ProgramOf(Type::kFloat32, 0);
  const auto small = ElementwiseSource::Of(program, Sizes::kArguments);
  program.dims.size[1] = 20;
  program.inputs[0].strides.at[0] = 20;
  program.elements = 200;
  EXPECT_EQ(ElementwiseSource::Of(program, Sizes::kArguments)->text, small->text);
  program.inputs[1].strides.at[1] = 0;
  EXPECT_NE(ElementwiseSource::Of(program, Sizes::kArguments)->text, small->text);
}

TEST(ElementwiseSource, MovesSixteenBytesAtOnceWhereRowsAllowIt) {
  ElementwiseProgram program = ProgramOf(Type::kFloat16, 0);
  program.num_inputs = 2;
  program.num_instructions = 1;
  EXPECT_EQ(ElementwiseSource::Of(program, Sizes::kConstants)->elements_per_thread, 8);
  program.dims.size[1] = 12;
  EXPECT_EQ(ElementwiseSource::Of(program, Sizes::kConstants)->elements_per_thread, 4);
  program.dims.size[1] = 11;
  EXPECT_EQ(ElementwiseSource::Of(program, Sizes::kConstants)->elements_per_thread, 1);
}

TEST(ElementwiseSource, DoesNotWriteNumbersThatAreNotFinite) {
  ElementwiseProgram program = ProgramOf(Type::kFloat32, 0);
  program.instructions[3].p = std::numeric_limits<float>::infinity();
  EXPECT_FALSE(ElementwiseSource::Of(program, Sizes::kConstants).has_value());
}

TEST(ElementwiseSource, CompilesForEveryInstructionTypeAndGpu) {
  const auto compiler = NvrtcCompiler::Load();
  if (!compiler.ok()) GTEST_SKIP() << compiler.status();
  for (const Type type : kTypes) {
    for (int first = 0; first <= static_cast<int>(Code::kSelect); first += kMaxInstructions) {
      for (const auto& [capability, sizes] :
           {std::pair(80, Sizes::kConstants), std::pair(90, Sizes::kConstants),
            std::pair(90, Sizes::kArguments), std::pair(100, Sizes::kConstants)}) {
        const auto source = ElementwiseSource::Of(ProgramOf(type, first), sizes);
        const auto code = compiler->Compile(source->text, capability);
        ASSERT_TRUE(code.ok()) << code.status() << "\n" << source->text;
        EXPECT_TRUE(absl::StartsWith(*code, "\177ELF"));
      }
    }
  }
}

TEST(NvrtcCompiler, SaysWhatIsWrongWithASource) {
  const auto compiler = NvrtcCompiler::Load();
  if (!compiler.ok()) GTEST_SKIP() << compiler.status();
  const auto code = compiler->Compile("this is no source", 90);
  EXPECT_TRUE(absl::IsUnimplemented(code.status())) << code.status();
  EXPECT_TRUE(absl::StrContains(code.status().message(), "generated.cu(1)")) << code.status();
  EXPECT_FALSE(compiler->Compile("", 7).ok());
}

}  // namespace
}  // namespace inferd::cuda
