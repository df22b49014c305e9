#include "loadtest/request_maker.h"

#include "gtest/gtest.h"

namespace inferd::loadtest {
namespace {

inference::ModelMetadataResponse OneInput(const std::string& datatype,
                                          const std::vector<int64_t>& shape) {
  inference::ModelMetadataResponse metadata;
  auto* input = metadata.add_inputs();
  input->set_name("x");
  input->set_datatype(datatype);
  input->mutable_shape()->Add(shape.begin(), shape.end());
  return metadata;
}

Options ForModel() {
  Options options;
  options.model = "m";
  return options;
}

TEST(RequestMaker, MakesOpenDimensionsOne) {
  const auto request = MakeRequest(ForModel(), OneInput("FP32", {-1, 3}));
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->model_name(), "m");
  EXPECT_EQ(request->inputs(0).shape(0), 1);
  EXPECT_EQ(request->inputs(0).shape(1), 3);
  EXPECT_EQ(request->raw_input_contents(0).size(), 12u);
}

TEST(RequestMaker, TakesGivenShapesAndTheSameSeedGivesTheSameData) {
  Options options = ForModel();
  options.shapes["x"] = {4, 2};
  const auto a = MakeRequest(options, OneInput("FP64", {-1, 2}));
  const auto b = MakeRequest(options, OneInput("FP64", {-1, 2}));
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_EQ(a->raw_input_contents(0).size(), 64u);
  EXPECT_EQ(a->raw_input_contents(0), b->raw_input_contents(0));
}

TEST(RequestMaker, MakesEveryTypeOfTheProtocol) {
  for (const auto& [datatype, bytes] : std::vector<std::pair<std::string, size_t>>{{"BOOL", 1},
                                                                                   {"INT8", 1},
                                                                                   {"UINT8", 1},
                                                                                   {"INT16", 2},
                                                                                   {"UINT16", 2},
                                                                                   {"INT32", 4},
                                                                                   {"UINT32", 4},
                                                                                   {"INT64", 8},
                                                                                   {"UINT64", 8},
                                                                                   {"FP16", 2},
                                                                                   {"BF16", 2},
                                                                                   {"FP32", 4},
                                                                                   {"FP64", 8},
                                                                                   {"BYTES", 10}}) {
    const auto request = MakeRequest(ForModel(), OneInput(datatype, {3}));
    ASSERT_TRUE(request.ok()) << request.status();
    EXPECT_EQ(request->raw_input_contents(0).size(), 3 * bytes) << datatype;
  }
}

TEST(RequestMaker, RefusesUnknownNamesTypesAndHugeShapes) {
  Options options = ForModel();
  EXPECT_FALSE(MakeRequest(options, OneInput("COMPLEX", {1})).ok());
  options.shapes["y"] = {1};
  EXPECT_FALSE(MakeRequest(options, OneInput("FP32", {1})).ok());
  options = ForModel();
  options.input_files["y"] = "y.npy";
  EXPECT_FALSE(MakeRequest(options, OneInput("FP32", {1})).ok());
  options = ForModel();
  options.shapes["x"] = {1 << 20, 1 << 20, 1 << 20, 1 << 20};
  EXPECT_FALSE(MakeRequest(options, OneInput("FP32", {1})).ok());
}

}  // namespace
}  // namespace inferd::loadtest
