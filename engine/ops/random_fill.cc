#include "engine/ops/random_fill.h"

#include "engine/ops/dtype_attribute.h"

namespace inferd {
namespace {

absl::StatusOr<DType> TargetDType(const Attributes& attributes, DType missing) {
  return ReadDType(attributes, "dtype", missing,
                   {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kBfloat16});
}

absl::StatusOr<Shape> ShapeAttribute(const Attributes& attributes) {
  const Shape shape(attributes.Ints("shape"));
  RETURN_IF_ERROR(Annotate(shape.CheckedElements().status(), "attribute shape"));
  return shape;
}

}  // namespace

absl::Status InferRandomFill(InferContext& context) {
  const bool like = context.has_input(0);
  ASSIGN_OR_RETURN(const DType dtype,
                   TargetDType(context.attributes(), like ? context.dtype(0) : DType::kFloat32));
  SymbolicShape shape;
  if (like) {
    shape = context.shape(0);
  } else {
    ASSIGN_OR_RETURN(shape, ShapeAttribute(context.attributes()));
  }
  context.SetOutput(0, dtype, std::move(shape));
  return absl::OkStatus();
}

absl::StatusOr<RandomTarget> ResolveRandomFill(const KernelContext& context) {
  const bool like = context.has_input(0);
  ASSIGN_OR_RETURN(
      const DType dtype,
      TargetDType(context.attributes(), like ? context.input(0).dtype() : DType::kFloat32));
  if (like) return RandomTarget{dtype, context.input(0).shape()};
  ASSIGN_OR_RETURN(Shape shape, ShapeAttribute(context.attributes()));
  return RandomTarget{dtype, std::move(shape)};
}

}  // namespace inferd
