#include "tests/support/op_case.h"

#include <cmath>
#include <complex>
#include <sstream>

#include "engine/core/status_macros.h"
#include "engine/ops/cast.h"
#include "engine/ops/infer_context.h"
#include "engine/ops/kernel_context.h"
#include "engine/ops/op_registry.h"

namespace inferd::testing {
namespace {

ValueType TypeOf(const Tensor& tensor) {
  switch (tensor.kind()) {
    case ValueKind::kTensor:
      return ValueType::OfTensor(tensor.dtype(), tensor.shape());
    case ValueKind::kSequence: {
      // As a graph would know it: the element type, not every element's shape.
      ValueType element;
      if (!tensor.elements().empty()) element = TypeOf(tensor.elements()[0]);
      if (element.is_tensor()) element.shape = SymbolicShape::UnknownRank();
      return ValueType::OfSequence(std::move(element));
    }
    case ValueKind::kOptional:
      return ValueType::OfOptional(tensor.elements().empty() ? ValueType()
                                                             : TypeOf(tensor.elements()[0]));
    case ValueKind::kMap:
      return ValueType::OfMap(tensor.elements()[0].dtype(), TypeOf(tensor.elements()[1]));
  }
  return ValueType();
}

// How much of the inputs a run of the shape rule knows.
enum class Knowledge { kEverything, kShapes, kRanks, kNothing };

ValueType TypeKnown(const Tensor& tensor, Knowledge knowledge) {
  ValueType type = TypeOf(tensor);
  if (type.is_tensor() && knowledge == Knowledge::kRanks) {
    type.shape = SymbolicShape::OfRank(tensor.rank());
  }
  if (type.is_tensor() && knowledge == Knowledge::kNothing) {
    type.shape = SymbolicShape::UnknownRank();
  }
  return type;
}

// True when a value of that type could be `tensor`.
bool Admits(const ValueType& type, const Tensor& tensor) {
  if (type.kind != tensor.kind()) {
    return type.is_tensor() && type.dtype == DType::kInvalid && !type.shape.has_rank();
  }
  if (!type.is_tensor()) {
    for (const Tensor& element : tensor.elements()) {
      if (tensor.kind() != ValueKind::kMap && type.element && !Admits(*type.element, element)) {
        return false;
      }
    }
    return true;
  }
  if (type.dtype != DType::kInvalid && type.dtype != tensor.dtype()) return false;
  if (!type.shape.has_rank()) return true;
  if (type.shape.rank() != tensor.rank()) return false;
  for (int i = 0; i < tensor.rank(); ++i) {
    if (type.shape[i].known() && !type.shape[i].Is(tensor.dim(i))) return false;
  }
  return true;
}

Node MakeNode(const OpCase& op_case, const OpDef& op) {
  Node node;
  node.name = op_case.name;
  node.op = &op;
  node.attributes = op_case.attributes;
  ValueId next = 0;
  for (const auto& input : op_case.inputs) node.inputs.push_back(input ? next++ : kNoValue);
  for (const auto& output : op_case.outputs) node.outputs.push_back(output ? next++ : kNoValue);
  return node;
}

// The output types the rule gives.
absl::StatusOr<std::vector<ValueType>> Infer(const OpCase& op_case, const Node& node,
                                             Knowledge knowledge) {
  std::vector<ValueType> types(op_case.inputs.size());
  std::vector<const ValueType*> type_pointers;
  std::vector<const Tensor*> constants;
  for (size_t i = 0; i < types.size(); ++i) {
    const auto& input = op_case.inputs[i];
    if (input) types[i] = TypeKnown(*input, knowledge);
    type_pointers.push_back(input ? &types[i] : nullptr);
    const bool constant = input && knowledge == Knowledge::kEverything;
    constants.push_back(constant ? &*input : nullptr);
  }
  InferContext context(node, std::move(type_pointers), std::move(constants));
  RETURN_IF_ERROR(node.op->infer(context));
  std::vector<ValueType> results;
  for (int i = 0; i < context.num_outputs(); ++i) results.push_back(context.output_type(i));
  return results;
}

absl::Status CheckRule(const OpCase& op_case, const Node& node, const std::vector<Tensor>& got,
                       Knowledge knowledge) {
  ASSIGN_OR_RETURN(const std::vector<ValueType> types, Infer(op_case, node, knowledge));
  for (size_t i = 0; i < got.size(); ++i) {
    if (op_case.outputs[i] && !Admits(types[i], got[i])) {
      return absl::InternalError(absl::StrCat(
          "the shape rule with knowledge level ", static_cast<int>(knowledge), " gives ",
          types[i].ToString(), " for output ", i, ", the kernel made ", got[i].TypeString()));
    }
  }
  return absl::OkStatus();
}

bool NumbersAgree(double expected, double got, double relative, double absolute) {
  if (std::isnan(expected) || std::isnan(got)) return std::isnan(expected) && std::isnan(got);
  if (expected == got) return true;
  return std::fabs(expected - got) <= absolute + relative * std::fabs(expected);
}

::testing::AssertionResult Differ(int64_t at, const std::string& expected, const std::string& got) {
  return ::testing::AssertionFailure()
         << "element " << at << ": expected " << expected << ", got " << got;
}

// For every type with an order of numbers: through double, which Cast defines for all of them.
::testing::AssertionResult NumericTensorsAgree(const Tensor& expected, const Tensor& got,
                                               double relative, double absolute) {
  Tensor a = Tensor::Allocate(DType::kFloat64, expected.shape()).value();
  Tensor b = Tensor::Allocate(DType::kFloat64, got.shape()).value();
  if (!CastElements(expected, &a).ok() || !CastElements(got, &b).ok()) {
    return ::testing::AssertionFailure() << "cannot compare " << expected.TypeString();
  }
  for (int64_t i = 0; i < a.num_elements(); ++i) {
    const double x = a.data<double>()[i];
    const double y = b.data<double>()[i];
    if (!NumbersAgree(x, y, relative, absolute)) {
      return Differ(i, absl::StrCat(x), absl::StrCat(y));
    }
  }
  return ::testing::AssertionSuccess();
}

template <typename T>
::testing::AssertionResult ExactlyEqual(const Tensor& expected, const Tensor& got) {
  for (int64_t i = 0; i < expected.num_elements(); ++i) {
    if (!(expected.data<T>()[i] == got.data<T>()[i])) {
      std::ostringstream x, y;
      x << expected.data<T>()[i];
      y << got.data<T>()[i];
      return Differ(i, x.str(), y.str());
    }
  }
  return ::testing::AssertionSuccess();
}

}  // namespace

Attributes MakeAttributes(std::vector<std::pair<std::string, Attributes::Value>> values) {
  Attributes attributes;
  for (auto& [name, value] : values) attributes.Set(name, std::move(value));
  return attributes;
}

absl::StatusOr<std::vector<Tensor>> RunPortableKernel(const OpCase& op_case) {
  const OpDef* op = OpRegistry::Builtin().Find(op_case.domain, op_case.op);
  if (op == nullptr || op->compute == nullptr) {
    return absl::NotFoundError(absl::StrCat("operator ", op_case.op, " has no portable kernel"));
  }
  const Node node = MakeNode(op_case, *op);
  RETURN_IF_ERROR(Infer(op_case, node, Knowledge::kEverything).status());
  std::vector<const Tensor*> inputs;
  for (const auto& input : op_case.inputs) inputs.push_back(input ? &*input : nullptr);
  std::vector<Tensor> results(op_case.outputs.size());
  std::vector<Tensor*> outputs;
  for (size_t i = 0; i < results.size(); ++i) {
    outputs.push_back(op_case.outputs[i] ? &results[i] : nullptr);
  }
  KernelContext context(op_case.attributes, inputs, outputs, /*outputs_planned=*/false,
                        Tensor::kDefaultLimitBytes);
  RETURN_IF_ERROR(op->compute(context));
  for (Knowledge knowledge :
       {Knowledge::kEverything, Knowledge::kShapes, Knowledge::kRanks, Knowledge::kNothing}) {
    RETURN_IF_ERROR(CheckRule(op_case, node, results, knowledge));
  }
  return results;
}

::testing::AssertionResult TensorsAgree(const Tensor& expected, const Tensor& got,
                                        double relative_tolerance, double absolute_tolerance) {
  if (expected.kind() != got.kind()) {
    return ::testing::AssertionFailure()
           << "expected " << expected.TypeString() << ", got " << got.TypeString();
  }
  if (expected.kind() != ValueKind::kTensor) {
    if (expected.elements().size() != got.elements().size()) {
      return ::testing::AssertionFailure() << "expected " << expected.elements().size()
                                           << " elements, got " << got.elements().size();
    }
    for (size_t i = 0; i < expected.elements().size(); ++i) {
      auto result = TensorsAgree(expected.elements()[i], got.elements()[i], relative_tolerance,
                                 absolute_tolerance);
      if (!result) return result << " (part " << i << ")";
    }
    return ::testing::AssertionSuccess();
  }
  if (expected.dtype() != got.dtype() || expected.shape() != got.shape()) {
    return ::testing::AssertionFailure()
           << "expected " << expected.TypeString() << ", got " << got.TypeString();
  }
  switch (expected.dtype()) {
    case DType::kString:
      return ExactlyEqual<std::string>(expected, got);
    case DType::kInt64:
      return ExactlyEqual<int64_t>(expected, got);
    case DType::kUint64:
      return ExactlyEqual<uint64_t>(expected, got);
    case DType::kComplex64:
      return ExactlyEqual<std::complex<float>>(expected, got);
    case DType::kComplex128:
      return ExactlyEqual<std::complex<double>>(expected, got);
    default:
      return NumericTensorsAgree(expected, got, relative_tolerance, absolute_tolerance);
  }
}

void CheckOpCase(const OpCase& op_case, const OpRunner& runner) {
  SCOPED_TRACE(op_case.op + ": " + op_case.name);
  const absl::StatusOr<std::vector<Tensor>> got = runner(op_case);
  ASSERT_TRUE(got.ok()) << got.status();
  ASSERT_EQ(got->size(), op_case.outputs.size());
  for (size_t i = 0; i < op_case.outputs.size(); ++i) {
    if (!op_case.outputs[i]) continue;
    EXPECT_TRUE(TensorsAgree(*op_case.outputs[i], (*got)[i], op_case.relative_tolerance,
                             op_case.absolute_tolerance))
        << "output " << i;
  }
}

void CheckOpCases(const std::vector<OpCase>& cases, const OpRunner& runner) {
  for (const OpCase& op_case : cases) CheckOpCase(op_case, runner);
}

void ExpectOpError(const OpCase& op_case, absl::string_view text, const OpRunner& runner) {
  SCOPED_TRACE(op_case.op + ": " + op_case.name);
  const absl::StatusOr<std::vector<Tensor>> got = runner(op_case);
  ASSERT_FALSE(got.ok()) << "expected an error with \"" << text << "\"";
  EXPECT_NE(got.status().message().find(text), absl::string_view::npos) << got.status();
}

Tensor ValuesAs(DType dtype, const Shape& shape, std::vector<double> values) {
  const Tensor wide = Tensor::FromValues<double>(shape, values);
  Tensor tensor = Tensor::Allocate(dtype, shape).value();
  const absl::Status cast = CastElements(wide, &tensor);
  EXPECT_TRUE(cast.ok()) << cast;
  return tensor;
}

}  // namespace inferd::testing
