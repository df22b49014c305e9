#pragma once

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/graph/attributes.h"

namespace inferd {

// What the classical models of ai.onnx.ml do to a row of scores at the end.
enum class PostTransform : uint8_t { kNone, kSoftmax, kLogistic, kSoftmaxZero, kProbit };

// Attribute post_transform as a name; INVALID_ARGUMENT for an unknown one.
absl::StatusOr<PostTransform> ReadPostTransform(const Attributes& attributes);

// Applies `transform` to one row in place.
void ApplyPostTransform(PostTransform transform, absl::Span<float> scores);
void ApplyPostTransform(PostTransform transform, absl::Span<double> scores);

// 1 / (1 + exp(-value)), exact at both ends.
double Logistic(double value);

// The standard normal distribution's quantile of `probability`.
double Probit(double probability);

}  // namespace inferd
