#include "engine/onnx/upconvert/upconvert.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/graph/op_def.h"
#include "engine/ops/op_registry.h"

namespace inferd {
namespace {

using Ints = std::vector<int64_t>;

// Converts one node of an older opset whose first input is `type`.
class UpconvertTest : public ::testing::Test {
 protected:
  OnnxNode& Make(const std::string& op_type, int64_t version, ValueType type,
                 const std::string& domain = "") {
    node_.op_type = op_type;
    node_.domain = domain;
    node_.version = version;
    node_.inputs = {graph_.AddInput("x", std::move(type))};
    node_.outputs = {graph_.AddValue("y")};
    return node_;
  }
  OnnxNode& MakeFloat(const std::string& op_type, int64_t version, Shape shape) {
    return Make(op_type, version, ValueType::OfTensor(DType::kFloat32, SymbolicShape(shape)));
  }
  ValueId AddFloats(Shape shape) {
    return graph_.AddInput("", ValueType::OfTensor(DType::kFloat32, SymbolicShape(shape)));
  }
  absl::Status Convert() {
    NodeEmitter emitter(OpRegistry::Builtin());
    return Upconvert(node_, graph_, emitter);
  }
  Ints ConstantInts(size_t input) { return *graph_.constant(node_.inputs[input])->ToInt64s(); }
  float ConstantFloat(size_t input) {
    return graph_.constant(node_.inputs[input])->data<float>()[0];
  }
  std::string EmittedOps() {
    std::string ops;
    for (int i = 0; i < graph_.num_nodes(); ++i) {
      ops += std::string(graph_.node(i).op->name) + " ";
    }
    return ops;
  }

  Graph graph_;
  OnnxNode node_;
};

TEST_F(UpconvertTest, MakesAxesAnInput) {
  MakeFloat("Squeeze", 11, {1, 2}).attributes.Set("axes", Ints{0});
  ASSERT_TRUE(Convert().ok());
  EXPECT_EQ(ConstantInts(1), Ints{0});
  EXPECT_FALSE(node_.attributes.Has("axes"));
}

TEST_F(UpconvertTest, LeavesReductionsOverAllAxesAlone) {
  MakeFloat("ReduceMean", 13, {1, 2}).attributes.Set("keepdims", int64_t{0});
  ASSERT_TRUE(Convert().ok());
  EXPECT_EQ(node_.inputs.size(), 1u);
  EXPECT_EQ(node_.attributes.Int("keepdims", 1), 0);
}

TEST_F(UpconvertTest, RefusesUnsqueezeWithoutAxes) {
  MakeFloat("Unsqueeze", 11, {2});
  EXPECT_EQ(Convert().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(UpconvertTest, CountsTheOutputsOfAnEvenSplit) {
  MakeFloat("Split", 11, {4}).outputs.push_back(graph_.AddValue("z"));
  ASSERT_TRUE(Convert().ok());
  EXPECT_EQ(node_.attributes.Int("num_outputs", 0), 2);
}

TEST_F(UpconvertTest, MakesSplitSizesAnInput) {
  MakeFloat("Split", 11, {4}).attributes.Set("split", Ints{1, 3});
  ASSERT_TRUE(Convert().ok());
  EXPECT_EQ(ConstantInts(1), (Ints{1, 3}));
  EXPECT_FALSE(node_.attributes.Has("num_outputs"));
}

TEST_F(UpconvertTest, MakesSliceBoundsInputs) {
  OnnxNode& node = MakeFloat("Slice", 9, {4, 4});
  node.attributes.Set("starts", Ints{1});
  node.attributes.Set("ends", Ints{3});
  node.attributes.Set("axes", Ints{1});
  ASSERT_TRUE(Convert().ok());
  EXPECT_EQ(ConstantInts(1), Ints{1});
  EXPECT_EQ(ConstantInts(2), Ints{3});
  EXPECT_EQ(ConstantInts(3), Ints{1});
}

TEST_F(UpconvertTest, MakesClipBoundsInputsOfTheDataType) {
  OnnxNode& node =
      Make("Clip", 6 + 1, ValueType::OfTensor(DType::kFloat16, SymbolicShape(Shape{2})));
  node.attributes.Set("max", 6.0f);
  ASSERT_TRUE(Convert().ok());
  EXPECT_EQ(node_.inputs[1], kNoValue);
  EXPECT_EQ(graph_.constant(node_.inputs[2])->dtype(), DType::kFloat16);
}

TEST_F(UpconvertTest, MakesPadsInputs) {
  OnnxNode& node = MakeFloat("Pad", 10, {2});
  node.attributes.Set("pads", Ints{1, 1});
  node.attributes.Set("value", 2.5f);
  ASSERT_TRUE(Convert().ok());
  EXPECT_EQ(ConstantInts(1), (Ints{1, 1}));
  EXPECT_EQ(ConstantFloat(2), 2.5f);
}

TEST_F(UpconvertTest, MakesTopKsCountAnInput) {
  MakeFloat("TopK", 9, {5}).attributes.Set("k", int64_t{3});
  ASSERT_TRUE(Convert().ok());
  EXPECT_EQ(ConstantInts(1), Ints{3});
}

TEST_F(UpconvertTest, RefusesWrongAttributeTypes) {
  MakeFloat("TopK", 9, {5}).attributes.Set("k", 3.0f);
  const absl::Status status = Convert();
  EXPECT_NE(status.message().find("attribute k is of type float"), absl::string_view::npos);
}

TEST_F(UpconvertTest, DropsDropoutsRatio) {
  MakeFloat("Dropout", 7, {5}).attributes.Set("ratio", 0.3f);
  ASSERT_TRUE(Convert().ok());
  EXPECT_TRUE(node_.attributes.values().empty());
}

TEST_F(UpconvertTest, TrainsDropoutsOfTheFirstOpsetsUnlessTheySayTest) {
  MakeFloat("Dropout", 6, {5}).attributes.Set("ratio", 0.25f);
  ASSERT_TRUE(Convert().ok());
  EXPECT_EQ(ConstantFloat(1), 0.25f);
  EXPECT_TRUE(*graph_.constant(node_.inputs[2])->data<bool>());
  EXPECT_TRUE(node_.attributes.Has("seed"));
  MakeFloat("Dropout", 6, {5}).attributes = Attributes();
  node_.attributes.Set("is_test", int64_t{1});
  ASSERT_TRUE(Convert().ok());
  EXPECT_EQ(node_.inputs.size(), 1u);
  EXPECT_TRUE(node_.attributes.values().empty());
}

TEST_F(UpconvertTest, CastsTheMaskOfOldDropoutsToTheDatasType) {
  MakeFloat("Dropout", 7, {5}).outputs.push_back(graph_.AddValue("mask"));
  ASSERT_TRUE(Convert().ok());
  EXPECT_EQ(EmittedOps(), "Dropout ");
  EXPECT_EQ(node_.op_type, "CastLike");
  EXPECT_EQ(node_.outputs.size(), 1u);
}

TEST_F(UpconvertTest, GivesRandomOperatorsASeedThatTheirNameDecides) {
  MakeFloat("RandomNormalLike", 22, {5}).name = "noise";
  ASSERT_TRUE(Convert().ok());
  const float seed = node_.attributes.Float("seed", -1);
  EXPECT_GE(seed, 0);
  OnnxNode other = node_;
  other.name = "other";
  other.attributes = Attributes();
  node_ = other;
  ASSERT_TRUE(Convert().ok());
  EXPECT_NE(node_.attributes.Float("seed", -1), seed);
  node_.attributes.Set("seed", 3.0f);
  ASSERT_TRUE(Convert().ok());
  EXPECT_EQ(node_.attributes.Float("seed", -1), 3.0f);
}

TEST_F(UpconvertTest, GivesDftItsOldAxis) {
  MakeFloat("DFT", 17, {1, 8, 1});
  ASSERT_TRUE(Convert().ok());
  EXPECT_EQ(node_.inputs[1], kNoValue);
  EXPECT_EQ(ConstantInts(2), Ints{1});
}

TEST_F(UpconvertTest, TurnsUpsampleIntoResize) {
  MakeFloat("Upsample", 7, {1, 1, 2, 2}).attributes.Set("scales", std::vector<float>{1, 1, 2, 2});
  ASSERT_TRUE(Convert().ok());
  EXPECT_EQ(node_.op_type, "Resize");
  ASSERT_EQ(node_.inputs.size(), 3u);
  EXPECT_EQ(node_.inputs[1], kNoValue);
  EXPECT_EQ(node_.attributes.String("coordinate_transformation_mode", ""), "asymmetric");
  EXPECT_EQ(node_.attributes.String("nearest_mode", ""), "floor");
}

TEST_F(UpconvertTest, DropsEmptyResizeInputs) {
  OnnxNode& node = MakeFloat("Resize", 11, {1, 1, 2, 2});
  const ValueId empty = graph_.AddConstant("", Tensor::FromValues<float>(Shape{0}, {}));
  const ValueId sizes = graph_.AddConstant("", Tensor::FromValues<int64_t>(Shape{1}, {4}));
  node.inputs = {node.inputs[0], empty, empty, sizes};
  ASSERT_TRUE(Convert().ok());
  EXPECT_EQ(node_.inputs[1], kNoValue);
  EXPECT_EQ(node_.inputs[2], kNoValue);
  EXPECT_EQ(node_.inputs[3], sizes);
}

TEST_F(UpconvertTest, KeepsSoftmaxWhereOneAxisIsLeft) {
  MakeFloat("Softmax", 11, {2, 10, 1, 1});
  ASSERT_TRUE(Convert().ok());
  EXPECT_EQ(node_.op_type, "Softmax");
  EXPECT_EQ(node_.attributes.Int("axis", 0), 1);
  EXPECT_EQ(graph_.num_nodes(), 0);
}

TEST_F(UpconvertTest, FlattensSoftmaxOverSeveralAxes) {
  MakeFloat("Softmax", 11, {2, 3, 4});
  ASSERT_TRUE(Convert().ok());
  EXPECT_EQ(EmittedOps(), "Flatten Softmax Shape ");
  EXPECT_EQ(node_.op_type, "Reshape");
}

TEST_F(UpconvertTest, LeavesNewSoftmaxAlone) {
  MakeFloat("Softmax", 13, {2, 3, 4});
  ASSERT_TRUE(Convert().ok());
  EXPECT_FALSE(node_.attributes.Has("axis"));
}

TEST_F(UpconvertTest, TakesBatchNormalizationsOutputsForTraining) {
  OnnxNode& node = MakeFloat("BatchNormalization", 7, {2, 3});
  node.attributes.Set("spatial", int64_t{1});
  ASSERT_TRUE(Convert().ok());
  EXPECT_TRUE(node_.attributes.values().empty());
  for (int i = 0; i < 4; ++i) node_.outputs.push_back(graph_.AddValue(""));
  ASSERT_TRUE(Convert().ok());
  EXPECT_EQ(node_.outputs.size(), 3u);
  EXPECT_EQ(node_.attributes.Int("training_mode", 0), 1);
}

TEST_F(UpconvertTest, WritesBatchNormalizationPerElementOut) {
  OnnxNode& node = MakeFloat("BatchNormalization", 7, {2, 3, 4});
  node.attributes.Set("spatial", int64_t{0});
  for (int i = 0; i < 4; ++i) node.inputs.push_back(AddFloats({3, 4}));
  ASSERT_TRUE(Convert().ok());
  EXPECT_EQ(EmittedOps(), "Sub Add Sqrt Div Mul ");
  EXPECT_EQ(node_.op_type, "Add");
}

TEST_F(UpconvertTest, KeepsBatchNormalizationPerElementOfVectors) {
  OnnxNode& node = MakeFloat("BatchNormalization", 6, {2, 3});
  node.attributes.Set("spatial", int64_t{0});
  node.attributes.Set("is_test", int64_t{1});
  for (int i = 0; i < 4; ++i) node.inputs.push_back(AddFloats({3}));
  ASSERT_TRUE(Convert().ok());
  EXPECT_EQ(node_.op_type, "BatchNormalization");
  EXPECT_TRUE(node_.attributes.values().empty());
}

TEST_F(UpconvertTest, SpreadsGroupNormalizationsScales) {
  OnnxNode& node = MakeFloat("GroupNormalization", 18, {1, 4, 2});
  const ValueId scale = graph_.AddConstant("", Tensor::FromValues<float>(Shape{2}, {1, 2}));
  node.inputs = {node.inputs[0], scale, scale};
  node.attributes.Set("num_groups", int64_t{2});
  ASSERT_TRUE(Convert().ok());
  EXPECT_EQ(EmittedOps(), "Shape Div Concat Unsqueeze Expand Reshape Unsqueeze Expand Reshape ");
}

TEST_F(UpconvertTest, RenamesScatterAndGridSampleModes) {
  MakeFloat("Scatter", 9, {2});
  ASSERT_TRUE(Convert().ok());
  EXPECT_EQ(node_.op_type, "ScatterElements");
  MakeFloat("GridSample", 16, {2}).attributes.Set("mode", std::string("bicubic"));
  ASSERT_TRUE(Convert().ok());
  EXPECT_EQ(node_.attributes.String("mode", ""), "cubic");
}

TEST_F(UpconvertTest, MovesQuantizeLinearToTheStandardDomain) {
  Make("QuantizeLinear", 1, ValueType::OfTensor(DType::kFloat32, SymbolicShape(Shape{2})),
       "com.microsoft");
  ASSERT_TRUE(Convert().ok());
  EXPECT_EQ(node_.domain, "");
}

TEST_F(UpconvertTest, KeepsRoiAlignUnshifted) {
  MakeFloat("RoiAlign", 10, {2});
  ASSERT_TRUE(Convert().ok());
  EXPECT_EQ(node_.attributes.String("coordinate_transformation_mode", ""), "output_half_pixel");
}

TEST_F(UpconvertTest, SplitsTheOldLabelEncoderByDirection) {
  OnnxNode& node = Make("LabelEncoder", 1,
                        ValueType::OfTensor(DType::kString, SymbolicShape(Shape{2})), "ai.onnx.ml");
  node.attributes.Set("classes_strings", std::vector<std::string>{"a", "b"});
  ASSERT_TRUE(Convert().ok());
  EXPECT_EQ(node_.attributes.Strings("keys_strings").size(), 2u);
  EXPECT_EQ(node_.attributes.Ints("values_int64s"), (Ints{0, 1}));
}

TEST_F(UpconvertTest, PutsTheSecondOperandAtItsAxis) {
  OnnxNode& node = MakeFloat("Add", 6, {2, 3, 4, 5});
  node.inputs.push_back(AddFloats({3, 4}));
  node.attributes.Set("broadcast", int64_t{1});
  node.attributes.Set("axis", int64_t{1});
  ASSERT_TRUE(Convert().ok());
  EXPECT_TRUE(node_.attributes.values().empty());
  EXPECT_EQ(graph_.value(node_.inputs[1]).type.shape.ToString(), "[3,4,1]");
}

TEST_F(UpconvertTest, LeavesSuffixesAndSingleElementsAlone) {
  OnnxNode& node = MakeFloat("Mul", 6, {2, 3, 4});
  node.inputs.push_back(AddFloats({3, 4}));
  node.attributes.Set("broadcast", int64_t{1});
  ASSERT_TRUE(Convert().ok());
  node_.inputs[1] = AddFloats({1});
  node_.attributes.Set("broadcast", int64_t{1});
  node_.attributes.Set("axis", int64_t{0});
  ASSERT_TRUE(Convert().ok());
  EXPECT_EQ(graph_.num_nodes(), 0);
}

TEST_F(UpconvertTest, RefusesOperandsThatDoNotFitAtTheirAxis) {
  OnnxNode& node = MakeFloat("Less", 1, {2, 3});
  node.inputs.push_back(AddFloats({3, 4}));
  node.attributes.Set("broadcast", int64_t{1});
  node.attributes.Set("axis", int64_t{1});
  EXPECT_EQ(Convert().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(UpconvertTest, GivesPRelusSlopeAChannelEach) {
  OnnxNode& node = MakeFloat("PRelu", 6, {2, 3, 4, 5});
  node.inputs.push_back(AddFloats({3}));
  ASSERT_TRUE(Convert().ok());
  EXPECT_EQ(graph_.value(node_.inputs[1]).type.shape.ToString(), "[3,1,1]");
}

TEST_F(UpconvertTest, MakesReshapesTargetAnInput) {
  MakeFloat("Reshape", 1, {2, 3}).attributes.Set("shape", Ints{0, -1});
  node_.attributes.Set("consumed_inputs", Ints{0});
  ASSERT_TRUE(Convert().ok());
  EXPECT_EQ(ConstantInts(1), (Ints{0, -1}));
  EXPECT_TRUE(node_.attributes.values().empty());
}

TEST_F(UpconvertTest, MakesPaddingsInputs) {
  MakeFloat("Pad", 1, {2}).attributes.Set("paddings", Ints{1, 2});
  ASSERT_TRUE(Convert().ok());
  EXPECT_EQ(ConstantInts(1), (Ints{1, 2}));
}

TEST_F(UpconvertTest, TilesAlongOneAxis) {
  OnnxNode& node = MakeFloat("Tile", 1, {2, 3});
  node.inputs.push_back(AddFloats({}));
  node.inputs.push_back(AddFloats({}));
  ASSERT_TRUE(Convert().ok());
  EXPECT_EQ(EmittedOps(), "Cast Cast Shape Size Range Equal Where ");
  EXPECT_EQ(node_.inputs.size(), 2u);
}

TEST_F(UpconvertTest, ReadsHeightAndWidthScales) {
  OnnxNode& node = MakeFloat("Upsample", 1, {1, 1, 2, 2});
  node.attributes.Set("height_scale", 2.0f);
  node.attributes.Set("width_scale", 3.0f);
  ASSERT_TRUE(Convert().ok());
  const Tensor& scales = *graph_.constant(node_.inputs[2]);
  EXPECT_EQ(std::vector<float>(scales.values<float>().begin(), scales.values<float>().end()),
            (std::vector<float>{1, 1, 2, 3}));
}

TEST_F(UpconvertTest, ReadsTypeNames) {
  MakeFloat("Cast", 1, {2}).attributes.Set("to", std::string("DOUBLE"));
  ASSERT_TRUE(Convert().ok());
  EXPECT_EQ(node_.attributes.Int("to", 0), static_cast<int64_t>(DType::kFloat64));
  MakeFloat("Cast", 1, {2}).attributes.Set("to", std::string("QUUX"));
  EXPECT_EQ(Convert().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(UpconvertTest, FillsInOldDefaults) {
  MakeFloat("Concat", 1, {2, 3});
  ASSERT_TRUE(Convert().ok());
  EXPECT_EQ(node_.attributes.Int("axis", 0), 1);
  node_.attributes = {};
  MakeFloat("Selu", 1, {2});
  ASSERT_TRUE(Convert().ok());
  EXPECT_EQ(node_.attributes.Float("gamma", 0), 1.0507f);
}

TEST_F(UpconvertTest, TakesWholeNormOrdersOnly) {
  MakeFloat("LpPool", 1, {1, 1, 4}).attributes.Set("p", 3.0f);
  ASSERT_TRUE(Convert().ok());
  EXPECT_EQ(node_.attributes.Int("p", 0), 3);
  node_.attributes.Set("p", 2.5f);
  EXPECT_EQ(Convert().code(), absl::StatusCode::kUnimplemented);
}

TEST_F(UpconvertTest, DropsOutputSequence) {
  MakeFloat("GRU", 1, {1, 1, 4}).attributes.Set("output_sequence", int64_t{1});
  node_.attributes.Set("direction", std::string("foward"));
  ASSERT_TRUE(Convert().ok());
  EXPECT_TRUE(node_.attributes.values().empty());
}

// One state s and one scan input x [batch,sequence], both summed.
class BatchedScanTest : public UpconvertTest {
 protected:
  void MakeScan() {
    auto body = std::make_shared<Graph>();
    const ValueType scalar = ValueType::OfTensor(DType::kFloat32, SymbolicShape::Scalar());
    const ValueId state = body->AddInput("s", scalar);
    const ValueId item = body->AddInput("x", scalar);
    const ValueId sum = body->AddValue("sum", scalar);
    Node add;
    add.op = OpRegistry::Builtin().Find("", "Add");
    add.inputs = {state, item};
    add.outputs = {sum};
    body->AddNode(std::move(add));
    body->MarkOutput(sum);
    body->MarkOutput(sum);
    MakeFloat("Scan", 8, {2});
    node_.inputs = {kNoValue, node_.inputs[0], AddFloats({2, 3})};
    node_.outputs.push_back(graph_.AddValue("z"));
    node_.attributes.Set("num_scan_inputs", int64_t{1});
    node_.subgraphs["body"] = std::move(body);
  }
  std::string BodyOps() {
    std::string ops;
    const Graph& body = *node_.subgraphs["body"];
    for (int i = 0; i < body.num_nodes(); ++i) ops += std::string(body.node(i).op->name) + " ";
    return ops;
  }
};

TEST_F(BatchedScanTest, BecomesAScanOverTheBatch) {
  MakeScan();
  ASSERT_TRUE(Convert().ok());
  EXPECT_EQ(node_.inputs.size(), 2u);
  EXPECT_EQ(node_.attributes.Int("num_scan_inputs", 0), 2);
  EXPECT_EQ(BodyOps(), "Scan ");
}

TEST_F(BatchedScanTest, CutsSequencesAtTheirLengths) {
  MakeScan();
  node_.inputs[0] =
      graph_.AddInput("lengths", ValueType::OfTensor(DType::kInt64, SymbolicShape(Shape{2})));
  ASSERT_TRUE(Convert().ok());
  EXPECT_EQ(node_.inputs.size(), 3u);
  EXPECT_EQ(BodyOps(), "Cast Unsqueeze Shape Slice Sub Concat Slice Scan Pad ");
}

TEST_F(BatchedScanTest, RefusesMoreScanInputsThanItHas) {
  MakeScan();
  node_.attributes.Set("num_scan_inputs", int64_t{3});
  EXPECT_EQ(Convert().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(UpconvertTest, TakesStandardOperatorsFromMicrosoftsDomain) {
  MakeFloat("Trilu", 1, {2, 2}).domain = "com.microsoft";
  ASSERT_TRUE(Convert().ok());
  EXPECT_EQ(node_.domain, "");
}

TEST_F(UpconvertTest, KeepsTheInputsOfMicrosoftsPad) {
  MakeFloat("Pad", 1, {2}).domain = "com.microsoft";
  node_.SetInput(1, graph_.AddConstant("pads", Tensor::FromValues<int64_t>({2}, {1, 1})));
  ASSERT_TRUE(Convert().ok());
  EXPECT_EQ(node_.domain, "");
  EXPECT_EQ(ConstantInts(1), Ints({1, 1}));
}

TEST_F(UpconvertTest, MicrosoftsUniqueHasNoFirstIndices) {
  MakeFloat("Unique", 1, {3}).domain = "com.microsoft";
  node_.outputs.push_back(graph_.AddValue("inverse"));
  const ValueId inverse = node_.outputs[1];
  ASSERT_TRUE(Convert().ok());
  EXPECT_EQ(node_.attributes.Int("sorted", 1), 0);
  EXPECT_EQ(node_.outputs, std::vector<ValueId>({node_.outputs[0], kNoValue, inverse}));
}

}  // namespace
}  // namespace inferd
