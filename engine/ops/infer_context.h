#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "engine/graph/attributes.h"
#include "engine/graph/graph.h"
#include "engine/graph/value_type.h"

namespace inferd {

// What a shape rule sees of one node. Error messages need not name the node: callers prepend it.
// Used by one thread at a time.
class InferContext {
 public:
  // `types[i]` and `constants[i]` describe input i and are null where it is absent or not known.
  InferContext(const Node& node, std::vector<const ValueType*> types,
               std::vector<const Tensor*> constants);

  int num_inputs() const { return static_cast<int>(types_.size()); }
  bool has_input(int i) const { return i < num_inputs() && types_[i] != nullptr; }
  const ValueType& input_type(int i) const { return *types_[i]; }
  DType dtype(int i) const { return types_[i]->dtype; }
  const SymbolicShape& shape(int i) const { return types_[i]->shape; }
  // The input's value when it is known now, else null.
  const Tensor* constant(int i) const { return i < num_inputs() ? constants_[i] : nullptr; }
  // A known 1-D or scalar integer input as int64 values; nullopt when not known.
  absl::StatusOr<std::optional<std::vector<int64_t>>> Int64s(int i) const;
  const Attributes& attributes() const { return node_.attributes; }
  const Node& node() const { return node_; }

  int num_outputs() const { return static_cast<int>(outputs_.size()); }
  bool wants_output(int i) const;
  void SetOutput(int i, DType dtype, SymbolicShape shape) {
    SetOutput(i, ValueType::OfTensor(dtype, std::move(shape)));
  }
  // Ignored when i is past the node's outputs or not wanted.
  void SetOutput(int i, ValueType type);
  const ValueType& output_type(int i) const { return outputs_[i]; }

 private:
  const Node& node_;
  std::vector<const ValueType*> types_;
  std::vector<const Tensor*> constants_;
  std::vector<ValueType> outputs_;
};

// The axis counted from the front: `axis` in [-rank, rank) -> [0, rank); INVALID_ARGUMENT else.
absl::StatusOr<int> NormalizeAxis(int64_t axis, int rank);
// Like NormalizeAxis over [-rank, rank], for operators that split a shape at an axis.
absl::StatusOr<int> NormalizeSplitAxis(int64_t axis, int rank);
// Every axis normalized; INVALID_ARGUMENT on duplicates.
absl::StatusOr<std::vector<int>> NormalizeAxes(absl::Span<const int64_t> axes, int rank);

// numpy broadcasting of symbolic shapes; INVALID_ARGUMENT naming both when they cannot match.
absl::StatusOr<SymbolicShape> BroadcastShapes(const SymbolicShape& a, const SymbolicShape& b);
// The same for concrete shapes.
absl::StatusOr<Shape> BroadcastShapes(const Shape& a, const Shape& b);

// Ready-made rules.
// Every output has input 0's dtype and shape.
absl::Status InferSameAsFirst(InferContext& context);
// Output 0: input 0's dtype and the broadcast of all inputs' shapes; all dtypes must be equal.
absl::Status InferBroadcast(InferContext& context);
// The same with dtype bool (comparisons, logic).
absl::Status InferBroadcastBool(InferContext& context);

}  // namespace inferd
