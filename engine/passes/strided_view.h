#pragma once

#include <optional>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/types/span.h"
#include "engine/graph/graph.h"
#include "engine/passes/matcher.h"

namespace inferd {

// Where the elements of a value of known shape lie in the row-major storage of another value that
// it only rearranges. An axis is the product of factors, outermost first, so that axes can be
// joined that no single stride describes. A value type.
class StridedView {
 public:
  struct Factor {
    int64_t size = 1;
    int64_t stride = 0;
  };
  using Axis = absl::InlinedVector<Factor, 2>;  // factors of size 1 are left out

  // Every element where it is.
  explicit StridedView(const Shape& shape);

  int rank() const { return static_cast<int>(axes_.size()); }
  int64_t offset() const { return offset_; }
  int64_t size(int axis) const;
  // Neighbouring factors of one stride joined.
  Axis Merged(int axis) const;
  // The distance of neighbours along the axis, 0 for an axis of size 1; nullopt where there is none
  // that holds for all of it.
  std::optional<int64_t> Stride(int axis) const;
  // Factors of all axes, outermost first.
  std::vector<Factor> Factors() const;
  // Row-major without gaps, wherever it starts.
  bool IsDense() const;

  // Each changes the view to that of the result; false where that is none, the view then being of
  // no more use.
  void Transpose(absl::Span<const int64_t> permutation);
  bool Reshape(const Shape& shape);
  bool Broadcast(const Shape& shape);
  bool Select(int axis, int64_t start, int64_t step, int64_t count);

 private:
  int64_t offset_ = 0;
  std::vector<Axis> axes_;
};

// The operators, nearest first, that only rearrange (and, if asked for, scale) what makes `value`.
// Used by one thread at a time; the graph outlives it.
class ViewChain {
 public:
  ViewChain(const Graph& graph, const Matcher& matcher, ValueId value, bool with_scale);

  int size() const { return static_cast<int>(links_.size()); }
  // The value before the nearest `count` operators.
  ValueId Base(int count) const;
  // How the value lies in Base(count); nullopt where it is no view of it.
  std::optional<StridedView> ViewOf(int count) const;
  // By what those operators multiply.
  double Scale(int count) const;

 private:
  struct Link {
    const Node* node;
    ValueId input;
    ValueId output;
    double factor = 1;
  };
  std::optional<Link> LinkTo(const Matcher& matcher, ValueId value, bool with_scale) const;

  const Graph& graph_;
  ValueId value_;
  std::vector<Link> links_;
};

// The view of node's `output` from that of its first input; false for an operator that does more
// than rearranging.
bool ApplyToView(const Graph& graph, const Node& node, ValueId output, StridedView* view);

}  // namespace inferd
