#include "engine/ops/sequence_reduction.h"

#include "absl/strings/str_cat.h"

namespace inferd {
namespace {

struct NamedKind {
  absl::string_view name;
  SequenceReduction::Kind kind;
};

constexpr NamedKind kKinds[] = {
    {"first", SequenceReduction::Kind::kFirst}, {"last", SequenceReduction::Kind::kLast},
    {"sum", SequenceReduction::Kind::kSum},     {"mean", SequenceReduction::Kind::kMean},
    {"max", SequenceReduction::Kind::kMax},     {"min", SequenceReduction::Kind::kMin},
};

}  // namespace

absl::StatusOr<SequenceReduction> SequenceReduction::Read(const Attributes& attributes, int rank) {
  SequenceReduction reduction;
  const int64_t axis = attributes.Int("axis", 0);
  if (axis < 0 || axis >= rank) {
    return absl::InvalidArgumentError(
        absl::StrCat("attribute axis is ", axis, ", expected 0 to ", rank - 1));
  }
  reduction.axis = static_cast<int>(axis);
  const std::string name = attributes.String("kind", "");
  for (const NamedKind& kind : kKinds) {
    if (kind.name != name) continue;
    reduction.kind = kind.kind;
    return reduction;
  }
  return absl::InvalidArgumentError(absl::StrCat("attribute kind is '", name, "'"));
}

}  // namespace inferd
