#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

using Ints = std::vector<int64_t>;
using Floats = std::vector<float>;
using Strings = std::vector<std::string>;

// Two rows fall to two leaves of one tree; `ids` and `weights` list the votes of both leaves.
OpCase Classifier(const Ints& ids, const Floats& weights, const char* transform,
                  const Tensor& labels, const Tensor& scores) {
  const int64_t votes = static_cast<int64_t>(ids.size()) / 2;
  Ints owners(votes, 1);
  owners.resize(2 * votes, 2);
  return {.name = transform,
          .op = "TreeEnsembleClassifier",
          .inputs = {Values<float>({2, 1}, {0, 1})},
          .outputs = {labels, scores},
          .attributes = MakeAttributes({{"nodes_treeids", Ints{0, 0, 0}},
                                        {"nodes_nodeids", Ints{0, 1, 2}},
                                        {"nodes_featureids", Ints{0, 0, 0}},
                                        {"nodes_modes", Strings{"BRANCH_LEQ", "LEAF", "LEAF"}},
                                        {"nodes_values", Floats{0.5, 0, 0}},
                                        {"nodes_truenodeids", Ints{1, 0, 0}},
                                        {"nodes_falsenodeids", Ints{2, 0, 0}},
                                        {"class_treeids", Ints(2 * votes, 0)},
                                        {"class_nodeids", owners},
                                        {"class_ids", ids},
                                        {"class_weights", weights},
                                        {"classlabels_int64s", Ints{10, 11}},
                                        {"post_transform", std::string(transform)}}),
          .domain = "ai.onnx.ml"};
}

const Tensor Labels(int64_t first, int64_t second) { return Values<int64_t>({2}, {first, second}); }

TEST(TreeEnsembleClassifier, ComplementsVotesForOneOfTwoClasses) {
  CheckOpCases(
      {Classifier({0, 0}, {0.25, 0.75}, "NONE", Labels(10, 11),
                  Values<float>({2, 2}, {0.75, 0.25, 0.25, 0.75})),
       Classifier({0, 0}, {-1, 2}, "NONE", Labels(10, 11), Values<float>({2, 2}, {1, -1, -2, 2})),
       Classifier({0, 0}, {0, 2}, "LOGISTIC", Labels(10, 11),
                  Values<float>({2, 2}, {0.5, 0.5, 0.11920292f, 0.88079708f}))});
}

TEST(TreeEnsembleClassifier, TakesTheLargestScoreWhenBothClassesVote) {
  CheckOpCase(Classifier({0, 1, 0, 1}, {0.75, 0.25, 0.25, 0.75}, "NONE", Labels(10, 11),
                         Values<float>({2, 2}, {0.75, 0.25, 0.25, 0.75})));
}

TEST(TreeEnsembleClassifier, GivesStringLabels) {
  OpCase op_case = Classifier({0, 0}, {0.25, 0.75}, "NONE", Labels(0, 0),
                              Values<float>({2, 2}, {0.75, 0.25, 0.25, 0.75}));
  op_case.attributes.Erase("classlabels_int64s");
  op_case.attributes.Set("classlabels_strings", Strings{"no", "yes"});
  op_case.outputs[0] = Values<std::string>({2}, {"no", "yes"});
  CheckOpCase(op_case);
}

TEST(TreeEnsembleClassifier, RefusesTooFewColumnsAndUnknownClasses) {
  OpCase narrow =
      Classifier({0, 0}, {0, 1}, "NONE", Labels(0, 0), Values<float>({2, 2}, {0, 0, 0, 0}));
  narrow.attributes.Set("nodes_featureids", Ints{3, 0, 0});
  ExpectOpError(narrow, "at least 4 columns");
  ExpectOpError(
      Classifier({0, 2}, {0, 1}, "NONE", Labels(0, 0), Values<float>({2, 2}, {0, 0, 0, 0})),
      "class_ids has 2");
}

}  // namespace
}  // namespace inferd::testing
