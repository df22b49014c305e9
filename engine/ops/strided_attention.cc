#include "engine/ops/strided_attention.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"

namespace inferd {
namespace {

// Sizes and strides stay below this, so that products of two of them cannot overflow.
constexpr int64_t kMost = int64_t{1} << 31;
constexpr size_t kSizes = 7;

absl::StatusOr<std::vector<int64_t>> ReadNumbers(const Attributes& attributes,
                                                 absl::string_view name, size_t count) {
  const std::vector<int64_t>& numbers = attributes.Ints(name);
  if (numbers.size() != count) {
    return absl::InvalidArgumentError(
        absl::StrCat("attribute ", name, " has ", numbers.size(), " numbers, expected ", count));
  }
  for (int64_t number : numbers) {
    if (number >= 0 && number < kMost) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("attribute ", name, " has ", number, ", expected 0 to ", kMost - 1));
  }
  return numbers;
}

absl::StatusOr<HeadLayout> ReadHeads(const Attributes& attributes, absl::string_view name) {
  ASSIGN_OR_RETURN(const std::vector<int64_t> numbers, ReadNumbers(attributes, name, 4));
  return HeadLayout{numbers[0], numbers[1], numbers[2], numbers[3]};
}

std::vector<int64_t> ToInts(const HeadLayout& layout) {
  return {layout.batch, layout.head, layout.row, layout.offset};
}

absl::StatusOr<StridedAttention::ScoreLayout> ReadScores(const Attributes& attributes,
                                                         absl::string_view name) {
  if (!attributes.Has(name)) return StridedAttention::ScoreLayout();
  ASSIGN_OR_RETURN(const std::vector<int64_t> numbers, ReadNumbers(attributes, name, 3));
  return StridedAttention::ScoreLayout{numbers[0], numbers[1], numbers[2]};
}

std::vector<int64_t> ToInts(const StridedAttention::ScoreLayout& layout) {
  return {layout.batch, layout.head, layout.query};
}

// Size and stride of each dimension of an operand.
using Extent = std::vector<std::pair<int64_t, int64_t>>;

absl::Status CheckLast(absl::string_view name, int64_t offset, const Extent& dims,
                       int64_t elements) {
  if (elements < 0) return absl::OkStatus();
  int64_t last = offset;
  for (const auto& [size, stride] : dims) {
    if (size == 0) return absl::OkStatus();
    const int64_t step = (size - 1) * stride;
    if (step > elements) last = elements;  // past the end, whatever the others are
    last = std::min(elements, last + step);
  }
  if (last < elements) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(name, " has ", elements, " elements, fewer than its layout reaches"));
}

// The dimensions, in some order, are those of a dense tensor: each element of it is written once.
absl::Status CheckCovers(const Shape& shape, int64_t offset, Extent dims) {
  std::sort(dims.begin(), dims.end(),
            [](const auto& a, const auto& b) { return a.second < b.second; });
  int64_t elements = 1;
  bool dense = offset == 0;
  for (const auto& [size, stride] : dims) {
    if (size == 0 && shape.num_elements() == 0) return absl::OkStatus();
    if (size == 1) continue;
    dense = dense && stride == elements && elements <= shape.num_elements();
    elements = dense ? elements * size : 0;
  }
  if (dense && elements == shape.num_elements()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("attribute y does not cover output_shape ", shape.ToString(), " once"));
}

}  // namespace

Attributes StridedAttention::ToAttributes() const {
  Attributes attributes;
  attributes.Set("sizes", std::vector<int64_t>{batch, heads, group, queries, keys, depth, width});
  attributes.Set("q", ToInts(q));
  attributes.Set("k", ToInts(k));
  attributes.Set("v", ToInts(v));
  attributes.Set("y", ToInts(y));
  attributes.Set("bias", ToInts(bias));
  attributes.Set("mask", ToInts(mask));
  attributes.Set("scale", scale);
  attributes.Set("first_position", causal ? first_position : int64_t{-1});
  attributes.Set("mask_hides", int64_t{mask_hides});
  attributes.Set("hidden", hidden);
  attributes.Set("zero_hidden_rows", int64_t{zero_hidden_rows});
  attributes.Set("output_shape",
                 std::vector<int64_t>(output_shape.dims().begin(), output_shape.dims().end()));
  return attributes;
}

std::vector<AttributeSpec> StridedAttention::AttributeSpecs() {
  return {{"sizes", AttributeKind::kInts, true},
          {"q", AttributeKind::kInts, true},
          {"k", AttributeKind::kInts, true},
          {"v", AttributeKind::kInts, true},
          {"y", AttributeKind::kInts, true},
          {"bias", AttributeKind::kInts},
          {"mask", AttributeKind::kInts},
          {"scale", AttributeKind::kFloat},
          {"first_position", AttributeKind::kInt},
          {"mask_hides", AttributeKind::kInt},
          {"hidden", AttributeKind::kFloat},
          {"zero_hidden_rows", AttributeKind::kInt},
          {"output_shape", AttributeKind::kInts, true}};
}

absl::StatusOr<StridedAttention> StridedAttention::Read(const Attributes& attributes) {
  StridedAttention attention;
  ASSIGN_OR_RETURN(const std::vector<int64_t> sizes, ReadNumbers(attributes, "sizes", kSizes));
  attention.batch = sizes[0];
  attention.heads = sizes[1];
  attention.group = sizes[2];
  attention.queries = sizes[3];
  attention.keys = sizes[4];
  attention.depth = sizes[5];
  attention.width = sizes[6];
  if (attention.group < 1 || attention.heads % attention.group != 0) {
    return absl::InvalidArgumentError(absl::StrCat("attribute sizes has ", attention.heads,
                                                   " heads in groups of ", attention.group));
  }
  ASSIGN_OR_RETURN(attention.q, ReadHeads(attributes, "q"));
  ASSIGN_OR_RETURN(attention.k, ReadHeads(attributes, "k"));
  ASSIGN_OR_RETURN(attention.v, ReadHeads(attributes, "v"));
  ASSIGN_OR_RETURN(attention.y, ReadHeads(attributes, "y"));
  ASSIGN_OR_RETURN(attention.bias, ReadScores(attributes, "bias"));
  ASSIGN_OR_RETURN(attention.mask, ReadScores(attributes, "mask"));
  attention.scale = attributes.Float("scale", 1);
  const int64_t first_position = attributes.Int("first_position", -1);
  if (first_position < -1 || first_position >= kMost) {
    return absl::InvalidArgumentError(absl::StrCat("attribute first_position is ", first_position,
                                                   ", expected -1 to ", kMost - 1));
  }
  attention.causal = first_position >= 0;
  attention.first_position = std::max<int64_t>(0, first_position);
  attention.mask_hides = attributes.Int("mask_hides", 0) != 0;
  attention.hidden = attributes.Float("hidden", attention.hidden);
  attention.zero_hidden_rows = attributes.Int("zero_hidden_rows", 0) != 0;
  attention.output_shape = Shape(attributes.Ints("output_shape"));
  RETURN_IF_ERROR(attention.output_shape.CheckedElements().status());
  return attention;
}

absl::Status StridedAttention::CheckElements(int64_t q_elements, int64_t k_elements,
                                             int64_t v_elements, int64_t bias_elements,
                                             int64_t mask_elements) const {
  const int64_t kv_heads = heads / group;
  const auto rows = [&](const HeadLayout& layout, int64_t layout_heads, int64_t count,
                        int64_t columns) {
    return Extent{
        {batch, layout.batch}, {layout_heads, layout.head}, {count, layout.row}, {columns, 1}};
  };
  const auto scores = [&](const ScoreLayout& layout) {
    return Extent{{batch, layout.batch}, {heads, layout.head}, {queries, layout.query}, {keys, 1}};
  };
  RETURN_IF_ERROR(CheckLast("Q", q.offset, rows(q, heads, queries, depth), q_elements));
  RETURN_IF_ERROR(CheckLast("K", k.offset, rows(k, kv_heads, keys, depth), k_elements));
  RETURN_IF_ERROR(CheckLast("V", v.offset, rows(v, kv_heads, keys, width), v_elements));
  RETURN_IF_ERROR(CheckLast("bias", 0, scores(bias), bias_elements));
  RETURN_IF_ERROR(CheckLast("mask", 0, scores(mask), mask_elements));
  return CheckCovers(output_shape, y.offset, rows(y, heads, queries, width));
}

}  // namespace inferd
