#include "engine/ops/random_fill.h"

#include "engine/core/status_macros.h"
#include "engine/ops/dtype_attribute.h"
#include "engine/ops/random_generator.h"

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

// The type and shape of output 0.
struct RandomTarget {
  DType dtype;
  Shape shape;
};

absl::StatusOr<RandomTarget> ResolveRandomFill(const KernelContext& context) {
  const bool like = context.has_input(0);
  ASSIGN_OR_RETURN(
      const DType dtype,
      TargetDType(context.attributes(), like ? context.input(0).dtype() : DType::kFloat32));
  if (like) return RandomTarget{dtype, context.input(0).shape()};
  ASSIGN_OR_RETURN(Shape shape, ShapeAttribute(context.attributes()));
  return RandomTarget{dtype, std::move(shape)};
}

// Output 0 = draw(generator) -> double for each element.
template <typename Fn>
absl::Status FillRandom(KernelContext& context, Fn draw) {
  ASSIGN_OR_RETURN(const RandomTarget target, ResolveRandomFill(context));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, target.dtype, target.shape));
  RandomGenerator generator(context.attributes());
  return DispatchFloat(target.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    T* values = y->mutable_data<T>();
    for (int64_t i = 0; i < y->num_elements(); ++i) values[i] = static_cast<T>(draw(generator));
    return absl::OkStatus();
  });
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

absl::Status FillNormal(KernelContext& context) {
  const double scale = context.attributes().Float("scale", 1);
  const double mean = context.attributes().Float("mean", 0);
  return FillRandom(context,
                    [=](RandomGenerator& generator) { return mean + scale * generator.Normal(); });
}

absl::Status FillUniform(KernelContext& context) {
  const double low = context.attributes().Float("low", 0);
  const double high = context.attributes().Float("high", 1);
  return FillRandom(context, [=](RandomGenerator& generator) {
    return low + (high - low) * generator.Uniform();
  });
}

}  // namespace inferd
