#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

using Ints = std::vector<int64_t>;
using Floats = std::vector<float>;

// Single tokens 2, 3, 5, 4; pairs 5 6, 7 8, 6 7.
Attributes Pool(std::string mode, int64_t min_length, int64_t max_length, int64_t skips) {
  return MakeAttributes({{"mode", mode},
                         {"min_gram_length", min_length},
                         {"max_gram_length", max_length},
                         {"max_skip_count", skips},
                         {"ngram_counts", Ints{0, 4}},
                         {"ngram_indexes", Ints{0, 1, 2, 3, 4, 5, 6}},
                         {"pool_int64s", Ints{2, 3, 5, 4, 5, 6, 7, 8, 6, 7}}});
}

OpCase Vectorize(Tensor x, Tensor y, Attributes attributes) {
  return {.op = "TfIdfVectorizer",
          .inputs = {std::move(x)},
          .outputs = {std::move(y)},
          .attributes = std::move(attributes)};
}

TEST(TfIdfVectorizer, CountsGramsOfEveryLengthAndDistance) {
  const Tensor row = Values<int32_t>({12}, {1, 1, 3, 3, 3, 7, 8, 6, 7, 5, 6, 8});
  const Tensor rows = Values<int64_t>({2, 6}, {1, 1, 3, 3, 3, 7, 8, 6, 7, 5, 6, 8});
  CheckOpCases(
      {Vectorize(row, Values<float>({7}, {0, 3, 1, 0, 1, 1, 1}), Pool("TF", 1, 2, 0)),
       Vectorize(row, Values<float>({7}, {0, 0, 0, 0, 1, 1, 1}), Pool("TF", 2, 2, 0)),
       // At distance 2 there are 7 _ 6? no; 8 _ 7, 6 _ 5, 5 _ 8, 7 _ 6 and no pair of the pool.
       Vectorize(row, Values<float>({7}, {0, 3, 1, 0, 1, 1, 1}), Pool("TF", 1, 2, 1)),
       Vectorize(row, Values<float>({7}, {0, 0, 0, 0, 1, 3, 1}), Pool("TF", 2, 2, 5)),
       Vectorize(rows, Values<float>({2, 7}, {0, 3, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1}),
                 Pool("TF", 1, 2, 0))});
}

TEST(TfIdfVectorizer, WeighsByGram) {
  Attributes words = MakeAttributes({{"mode", std::string("TFIDF")},
                                     {"min_gram_length", int64_t{1}},
                                     {"max_gram_length", int64_t{1}},
                                     {"max_skip_count", int64_t{0}},
                                     {"ngram_counts", Ints{0}},
                                     {"ngram_indexes", Ints{2, 0}},
                                     {"weights", Floats{10, 100}},
                                     {"pool_strings", std::vector<std::string>{"a", "b"}}});
  const Tensor x = Values<std::string>({4}, {"a", "b", "a", "c"});
  CheckOpCase(Vectorize(x, Values<float>({3}, {100, 0, 20}), words));
  words.Set("mode", std::string("IDF"));
  CheckOpCase(Vectorize(x, Values<float>({3}, {100, 0, 10}), words));
  words.Erase("weights");
  CheckOpCase(Vectorize(x, Values<float>({3}, {1, 0, 1}), words));
  CheckOpCase(
      Vectorize(Values<std::string>({2, 0}, {}), Values<float>({2, 3}, {0, 0, 0, 0, 0, 0}), words));
}

TEST(TfIdfVectorizer, RefusesPoolsThatDoNotFit) {
  const Tensor x = Values<int64_t>({1}, {1});
  const auto expect = [&](absl::string_view name, Attributes::Value value, absl::string_view text) {
    Attributes attributes = Pool("TF", 1, 2, 0);
    attributes.Set(name, std::move(value));
    ExpectOpError(Vectorize(x, x, attributes), text);
  };
  expect("ngram_counts", Ints{0, -4}, "ngram_counts");
  expect("ngram_counts", Ints{0, 5}, "ngram_counts");
  expect("ngram_counts", Ints{0, INT64_MAX}, "ngram_counts");
  expect("ngram_indexes", Ints{0, 1, 2, 3, 4, 5}, "7 n-grams");
  expect("ngram_indexes", Ints{0, 1, 2, 3, 4, 5, -1}, "entry -1");
  expect("ngram_indexes", Ints{0, 1, 2, 3, 4, 5, int64_t{1} << 39}, "");
  expect("max_skip_count", INT64_MAX, "max_skip_count");
  expect("max_gram_length", int64_t{3}, "lengths");
  expect("mode", std::string("tf"), "mode");
  expect("pool_strings", std::vector<std::string>{"a"}, "one of");
  expect("pool_int64s", Ints{}, "one of");
  ExpectOpError(Vectorize(Values<std::string>({1}, {"a"}), x, Pool("TF", 1, 2, 0)), "int32");
}

}  // namespace
}  // namespace inferd::testing
