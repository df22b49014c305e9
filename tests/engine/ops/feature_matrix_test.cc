#include "engine/ops/feature_matrix.h"

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

using Ints = std::vector<int64_t>;
using Floats = std::vector<float>;
using Strings = std::vector<std::string>;
using Pairs = std::vector<std::pair<std::string, Attributes::Value>>;

OpCase Ml(const char* op, std::vector<std::optional<Tensor>> inputs,
          std::vector<std::optional<Tensor>> outputs, Pairs attributes = {}) {
  return {.name = op,
          .op = op,
          .inputs = std::move(inputs),
          .outputs = std::move(outputs),
          .attributes = MakeAttributes(std::move(attributes)),
          .domain = "ai.onnx.ml"};
}

TEST(FeatureOps, ScaleNormalizeBinarizeAndImpute) {
  const Tensor x = Values<float>({2, 2}, {3, -4, 0, 0});
  CheckOpCases(
      {Ml("Scaler", {Values<int64_t>({1, 2}, {3, 5})}, {Values<float>({1, 2}, {2, 40})},
          {{"offset", Floats{1, 1}}, {"scale", Floats{1, 10}}}),
       Ml("Normalizer", {x}, {Values<float>({2, 2}, {0.75, -1, 0, 0})}),
       Ml("Normalizer", {x}, {Values<float>({2, 2}, {0.6, -0.8, 0, 0})},
          {{"norm", std::string("L2")}}),
       Ml("Binarizer", {x}, {Values<float>({2, 2}, {1, 0, 0, 0})}, {{"threshold", 1.0f}}),
       Ml("Imputer", {Values<float>({2, 2}, {std::nanf(""), 1, 2, std::nanf("")})},
          {Values<float>({2, 2}, {8, 1, 2, 9})},
          {{"imputed_value_floats", Floats{8, 9}}, {"replaced_value_float", std::nanf("")}})});
}

TEST(FeatureOps, EncodeLabelsAndCategories) {
  const Tensor words = Values<std::string>({3}, {"a", "b", "c"});
  CheckOpCases(
      {Ml("LabelEncoder", {words}, {Values<int64_t>({3}, {1, 2, -7})},
          {{"keys_strings", Strings{"a", "b"}},
           {"values_int64s", Ints{1, 2}},
           {"default_int64", int64_t{-7}}}),
       Ml("LabelEncoder", {Values<float>({2}, {std::nanf(""), 1})},
          {Values<std::string>({2}, {"missing", "_Unused"})},
          {{"keys_floats", Floats{std::nanf("")}}, {"values_strings", Strings{"missing"}}}),
       Ml("CategoryMapper", {words}, {Values<int64_t>({3}, {5, 6, -1})},
          {{"cats_int64s", Ints{5, 6}}, {"cats_strings", Strings{"a", "b"}}}),
       Ml("OneHotEncoder", {Values<int64_t>({2}, {7, 1})}, {Values<float>({2, 2}, {0, 1, 0, 0})},
          {{"cats_int64s", Ints{3, 7}}})});
  ExpectOpError(Ml("OneHotEncoder", {Values<int64_t>({1}, {1})}, {words},
                   {{"cats_int64s", Ints{3}}, {"zeros", int64_t{0}}}),
                "none of the categories");
}

TEST(FeatureOps, PickAndJoinColumns) {
  CheckOpCases(
      {Ml("ArrayFeatureExtractor",
          {Values<float>({2, 3}, {1, 2, 3, 4, 5, 6}), Values<int64_t>({2}, {2, 0})},
          {Values<float>({2, 2}, {3, 1, 6, 4})}),
       Ml("FeatureVectorizer", {Values<int64_t>({1, 2}, {1, 2}), Values<int64_t>({1, 1}, {3})},
          {Values<float>({1, 4}, {1, 3, 0, 0})}, {{"inputdimensions", Ints{1, 3}}})});
  ExpectOpError(
      Ml("ArrayFeatureExtractor", {Values<float>({1, 2}, {1, 2}), Values<int64_t>({1}, {2})},
         {Values<float>({1, 1}, {1})}),
      "index 2 is outside");
}

TEST(LinearModels, GiveScoresAndLabels) {
  const Tensor x = Values<float>({2, 2}, {1, 2, 3, -4});
  CheckOpCases(
      {Ml("LinearRegressor", {x}, {Values<float>({2, 1}, {6, -4})},
          {{"coefficients", Floats{1, 2}}, {"intercepts", Floats{1}}, {"targets", int64_t{1}}}),
       Ml("LinearClassifier", {x},
          {Values<int64_t>({2}, {7, 5}), Values<float>({2, 2}, {-6, 6, 2, -2})},
          {{"coefficients", Floats{2, 2}},
           {"intercepts", Floats{0}},
           {"classlabels_ints", Ints{5, 7}}})});
  ExpectOpError(Ml("LinearRegressor", {x}, {x}, {{"coefficients", Floats{1}}}), "coefficients");
}

TEST(ZipMap, MakesOneMapARow) {
  const Tensor keys = Values<std::string>({2}, {"no", "yes"});
  CheckOpCase(Ml("ZipMap", {Values<float>({2, 2}, {1, 2, 3, 4})},
                 {Tensor::Sequence({Tensor::Map(keys, Values<float>({2}, {1, 2})),
                                    Tensor::Map(keys, Values<float>({2}, {3, 4}))})},
                 {{"classlabels_strings", Strings{"no", "yes"}}}));
  ExpectOpError(Ml("ZipMap", {Values<float>({1, 3}, {1, 2, 3})}, {keys},
                   {{"classlabels_strings", Strings{"no", "yes"}}}),
                "3 columns for 2");
}

TEST(Maps, BecomeTensors) {
  const Tensor map = Tensor::Map(Values<int64_t>({2}, {3, 1}), Values<float>({2}, {30, 10}));
  CheckOpCases({Ml("CastMap", {map}, {Values<float>({1, 2}, {10, 30})}),
                Ml("CastMap", {map}, {Values<int64_t>({1, 4}, {0, 10, 0, 30})},
                   {{"map_form", std::string("SPARSE")},
                    {"max_map", int64_t{4}},
                    {"cast_to", std::string("TO_INT64")}}),
                Ml("DictVectorizer", {map}, {Values<float>({1, 3}, {10, 0, 30})},
                   {{"int64_vocabulary", Ints{1, 2, 3}}})});
}

TEST(ReadFeatures, TakesOneRowAndRefusesOtherRanks) {
  const auto row = ReadFeatures<float>(Values<int32_t>({2}, {1, 2}), 2);
  ASSERT_TRUE(row.ok()) << row.status();
  EXPECT_EQ(row->rows, 1);
  EXPECT_EQ(row->data[1], 2);
  EXPECT_FALSE(ReadFeatures<float>(Values<float>({1, 1, 1}, {1}), 1).ok());
  EXPECT_FALSE(ReadFeatures<float>(Values<float>({}, {1}), 1).ok());
}

}  // namespace
}  // namespace inferd::testing
