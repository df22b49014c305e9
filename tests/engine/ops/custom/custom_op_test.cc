#include "engine/ops/custom/custom_op.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace inferd {
namespace {

using ::testing::HasSubstr;

// A right description, for tests to break.
InferdCustomOp Described() {
  InferdCustomOp op = {};
  op.domain = "test";
  op.name = "Op";
  op.since_version = 1;
  op.min_inputs = 1;
  op.max_inputs = INFERD_ANY_NUMBER;
  op.min_outputs = 1;
  op.max_outputs = 2;
  op.infer_shapes = [](const InferdHost*, const InferdNode*, InferdShapeCall*) { return 0; };
  op.run = [](const InferdHost*, const InferdNode*, InferdRunCall*) { return 0; };
  return op;
}

void ExpectRefused(const InferdCustomOp& op, absl::string_view text) {
  const auto def = MakeCustomOp(op);
  EXPECT_EQ(def.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(def.status().message()), HasSubstr(std::string(text)));
}

TEST(CustomOp, TakesWhatTheDescriptionSays) {
  InferdCustomOp op = Described();
  const InferdAttribute attributes[] = {{"axes", INFERD_INTS, 1}};
  op.attributes = attributes;
  op.num_attributes = 1;
  const OpDef def = MakeCustomOp(op).value();
  EXPECT_EQ(def.name, "Op");
  EXPECT_EQ(def.max_inputs, kVariadic);
  ASSERT_EQ(def.attributes.size(), 1u);
  EXPECT_EQ(def.attributes[0].kind, AttributeKind::kInts);
  EXPECT_TRUE(def.attributes[0].required);
  EXPECT_FALSE(def.deterministic);
}

TEST(CustomOp, RefusesDescriptionsWithHolesInThem) {
  InferdCustomOp op = Described();
  op.domain = nullptr;
  ExpectRefused(op, "no domain");
  op = Described();
  op.name = "";
  ExpectRefused(op, "no name");
  op = Described();
  op.run = nullptr;
  ExpectRefused(op, "'Op' of 'test'");
  op = Described();
  op.max_outputs = 0;
  ExpectRefused(op, "outputs: expected 0 <= least <= most, got 1 and 0");
  op = Described();
  op.num_attributes = 3;
  ExpectRefused(op, "attributes");
  op = Described();
  const InferdAttribute unknown[] = {{"a", 77, 0}};
  op.attributes = unknown;
  op.num_attributes = 1;
  ExpectRefused(op, "kind 77");
}

}  // namespace
}  // namespace inferd
