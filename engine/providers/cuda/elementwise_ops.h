#pragma once

#include "absl/strings/string_view.h"
#include "engine/providers/cuda/launch/elementwise.h"

// The elementwise operators that CUDA runs, each as an instruction or a few of them.
namespace inferd::cuda {

// How many operands an operator has besides x.
enum class ElementwiseForm : uint8_t { kUnary, kBinary, kVariadic, kSelect, kClip, kCast, kBiased };

struct ElementwiseOp {
  absl::string_view op;
  Code code;
  ElementwiseForm form = ElementwiseForm::kUnary;
  bool integers = false;  // also of integers and bools
  absl::string_view p_name = "";
  float p = 0;
  absl::string_view q_name = "";
  float q = 0;
  absl::string_view domain = "";
};

inline constexpr absl::string_view kMicrosoft = "com.microsoft";

inline constexpr ElementwiseOp kElementwiseOps[] = {
    {"Abs", Code::kAbs, ElementwiseForm::kUnary, true},
    {"Neg", Code::kNeg, ElementwiseForm::kUnary, true},
    {"Exp", Code::kExp},
    {"Log", Code::kLog},
    {"Sqrt", Code::kSqrt},
    {"Reciprocal", Code::kReciprocal},
    {"Sigmoid", Code::kSigmoid},
    {"Tanh", Code::kTanh},
    {"Erf", Code::kErf},
    {"Relu", Code::kRelu, ElementwiseForm::kUnary, true},
    {"LeakyRelu", Code::kLeakyRelu, ElementwiseForm::kUnary, false, "alpha", 0.01f},
    {"Elu", Code::kElu, ElementwiseForm::kUnary, false, "alpha", 1.0f},
    {"Selu", Code::kSelu, ElementwiseForm::kUnary, false, "alpha", 1.67326319217681884765625f,
     "gamma", 1.05070102214813232421875f},
    {"HardSigmoid", Code::kHardSigmoid, ElementwiseForm::kUnary, false, "alpha", 0.2f, "beta",
     0.5f},
    {"HardSwish", Code::kHardSwish},
    {"Swish", Code::kSwish, ElementwiseForm::kUnary, false, "alpha", 1.0f},
    {"Gelu", Code::kGelu},
    {"Mish", Code::kMish},
    {"Softplus", Code::kSoftplus},
    {"Softsign", Code::kSoftsign},
    {"ThresholdedRelu", Code::kThresholdedRelu, ElementwiseForm::kUnary, false, "alpha", 1.0f},
    {"Floor", Code::kFloor},
    {"Ceil", Code::kCeil},
    {"Round", Code::kRound},
    {"Sign", Code::kSign, ElementwiseForm::kUnary, true},
    {"Sin", Code::kSin},
    {"Cos", Code::kCos},
    {"Not", Code::kNot, ElementwiseForm::kUnary, true},
    {"IsNaN", Code::kIsNan},
    {"Gelu", Code::kGelu, ElementwiseForm::kUnary, false, "", 0, "", 0, kMicrosoft},
    {"QuickGelu", Code::kSwish, ElementwiseForm::kUnary, false, "alpha", 1.702f, "", 0, kMicrosoft},
    {"BiasGelu", Code::kGelu, ElementwiseForm::kBiased, false, "", 0, "", 0, kMicrosoft},
    {"FastGelu", Code::kGeluTanh, ElementwiseForm::kBiased, false, "", 0, "", 0, kMicrosoft},
    {"Add", Code::kAdd, ElementwiseForm::kBinary, true},
    {"Sub", Code::kSub, ElementwiseForm::kBinary, true},
    {"Mul", Code::kMul, ElementwiseForm::kBinary, true},
    {"Div", Code::kDiv, ElementwiseForm::kBinary, true},
    {"Pow", Code::kPow, ElementwiseForm::kBinary},
    {"PRelu", Code::kPRelu, ElementwiseForm::kBinary},
    {"Equal", Code::kEqual, ElementwiseForm::kBinary, true},
    {"Less", Code::kLess, ElementwiseForm::kBinary, true},
    {"LessOrEqual", Code::kLessOrEqual, ElementwiseForm::kBinary, true},
    {"Greater", Code::kGreater, ElementwiseForm::kBinary, true},
    {"GreaterOrEqual", Code::kGreaterOrEqual, ElementwiseForm::kBinary, true},
    {"And", Code::kAnd, ElementwiseForm::kBinary, true},
    {"Or", Code::kOr, ElementwiseForm::kBinary, true},
    {"Xor", Code::kXor, ElementwiseForm::kBinary, true},
    {"Sum", Code::kAdd, ElementwiseForm::kVariadic},
    {"Min", Code::kMin, ElementwiseForm::kVariadic, true},
    {"Max", Code::kMax, ElementwiseForm::kVariadic, true},
    {"Where", Code::kSelect, ElementwiseForm::kSelect, true},
    {"Clip", Code::kMax, ElementwiseForm::kClip, true},
    {"Cast", Code::kAdd, ElementwiseForm::kCast, true},
};

}  // namespace inferd::cuda
