#include "engine/ops/custom/custom_op.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/custom/custom_op_host.h"

namespace inferd {
namespace {

constexpr int kMaxValues = 1 << 16;  // inputs or outputs of one node
constexpr size_t kMaxAttributes = 1024;

absl::StatusOr<AttributeKind> ToAttributeKind(const InferdAttribute& attribute) {
  switch (attribute.kind) {
    case INFERD_INT:
      return AttributeKind::kInt;
    case INFERD_FLOAT:
      return AttributeKind::kFloat;
    case INFERD_TEXT:
      return AttributeKind::kString;
    case INFERD_INTS:
      return AttributeKind::kInts;
    case INFERD_FLOATS:
      return AttributeKind::kFloats;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("attribute '", attribute.name, "': kind ", attribute.kind, " is not known"));
}

absl::StatusOr<int> CheckCounts(absl::string_view what, int least, int most) {
  if (most == INFERD_ANY_NUMBER) most = kVariadic;
  if (least < 0 || least > kMaxValues || most < least || (most > kMaxValues && most != kVariadic)) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, ": expected 0 <= least <= most, got ", least, " and ", most));
  }
  return most;
}

absl::StatusOr<std::vector<AttributeSpec>> ToSpecs(const InferdCustomOp& op) {
  if (op.num_attributes > kMaxAttributes || (op.num_attributes > 0 && op.attributes == nullptr)) {
    return absl::InvalidArgumentError(absl::StrCat("expected at most ", kMaxAttributes,
                                                   " attributes and a list of them, got ",
                                                   op.num_attributes));
  }
  std::vector<AttributeSpec> specs;
  for (size_t i = 0; i < op.num_attributes; ++i) {
    const InferdAttribute& attribute = op.attributes[i];
    if (attribute.name == nullptr || *attribute.name == '\0') {
      return absl::InvalidArgumentError(absl::StrCat("attribute ", i, " has no name"));
    }
    ASSIGN_OR_RETURN(const AttributeKind kind, ToAttributeKind(attribute));
    specs.push_back({attribute.name, kind, attribute.required != 0});
  }
  return specs;
}

absl::StatusOr<OpDef> MakeOp(const InferdCustomOp& op) {
  if (op.infer_shapes == nullptr || op.run == nullptr) {
    return absl::InvalidArgumentError("infer_shapes and run must both be given");
  }
  OpDef def;
  def.domain = op.domain;
  def.name = op.name;
  def.since = op.since_version;
  def.min_inputs = op.min_inputs;
  def.min_outputs = op.min_outputs;
  ASSIGN_OR_RETURN(def.max_inputs, CheckCounts("inputs", op.min_inputs, op.max_inputs));
  ASSIGN_OR_RETURN(def.max_outputs, CheckCounts("outputs", op.min_outputs, op.max_outputs));
  ASSIGN_OR_RETURN(def.attributes, ToSpecs(op));
  def.deterministic = op.deterministic != 0;
  def.infer = [&op](InferContext& context) { return InferCustomShapes(op, context); };
  def.compute = [&op](KernelContext& context) { return RunCustomOp(op, context); };
  return def;
}

}  // namespace

absl::StatusOr<OpDef> MakeCustomOp(const InferdCustomOp& op) {
  if (op.domain == nullptr || *op.domain == '\0') {
    return absl::InvalidArgumentError("an operator has no domain");
  }
  if (op.name == nullptr || *op.name == '\0') {
    return absl::InvalidArgumentError(
        absl::StrCat("an operator of domain '", op.domain, "' has no name"));
  }
  absl::StatusOr<OpDef> def = MakeOp(op);
  if (!def.ok()) {
    return Annotate(def.status(), absl::StrCat("operator '", op.name, "' of '", op.domain, "'"));
  }
  return def;
}

}  // namespace inferd
