#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::onnx {
namespace {

// A row of n tokens is read once for every distance between an n-gram's tokens.
constexpr int64_t kMostSkips = 1024;

struct Settings {
  int64_t min_length;
  int64_t max_length;
  int64_t max_skips;
  int64_t columns;
  bool counted;   // mode TF or TFIDF: each occurrence counts, not the first alone
  bool weighted;  // mode IDF or TFIDF with weights, one for each n-gram
};

int64_t PoolSize(const Attributes& attributes) {
  return static_cast<int64_t>(
      std::max(attributes.Ints("pool_int64s").size(), attributes.Strings("pool_strings").size()));
}

// ngram_counts[n - 1] is where the pool's n-grams begin.
absl::Status CheckPool(const Attributes& attributes) {
  const bool ints = !attributes.Ints("pool_int64s").empty();
  if (ints == !attributes.Strings("pool_strings").empty()) {
    return absl::InvalidArgumentError("expected one of pool_int64s and pool_strings");
  }
  const std::vector<int64_t>& begins = attributes.Ints("ngram_counts");
  const int64_t pool_size = PoolSize(attributes);
  int64_t grams = 0;
  for (size_t i = 0; i < begins.size(); ++i) {
    const auto length = static_cast<int64_t>(i) + 1;
    const int64_t end = i + 1 < begins.size() ? begins[i + 1] : pool_size;
    if (begins[i] < 0 || end < begins[i] || end > pool_size || (end - begins[i]) % length != 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          "ngram_counts put the ", length, "-grams at [", begins[i], ",", end, ") of a pool of ",
          pool_size, "; expected growing positions that leave whole n-grams"));
    }
    grams += (end - begins[i]) / length;
  }
  if (begins.empty() || begins[0] != 0 ||
      grams != static_cast<int64_t>(attributes.Ints("ngram_indexes").size())) {
    return absl::InvalidArgumentError(
        absl::StrCat("the pool holds ", grams, " n-grams, ngram_indexes has ",
                     attributes.Ints("ngram_indexes").size(), " entries"));
  }
  return absl::OkStatus();
}

absl::StatusOr<Settings> ReadSettings(const Attributes& attributes) {
  RETURN_IF_ERROR(CheckPool(attributes));
  const std::string mode = attributes.String("mode", "");
  if (mode != "TF" && mode != "IDF" && mode != "TFIDF") {
    return absl::InvalidArgumentError(
        absl::StrCat("mode is \"", mode, "\", expected TF, IDF or TFIDF"));
  }
  Settings settings = {.min_length = attributes.Int("min_gram_length", 0),
                       .max_length = attributes.Int("max_gram_length", 0),
                       .max_skips = attributes.Int("max_skip_count", 0),
                       .columns = 0,
                       .counted = mode != "IDF",
                       .weighted = mode != "TF" && !attributes.Floats("weights").empty()};
  const auto lengths = static_cast<int64_t>(attributes.Ints("ngram_counts").size());
  if (settings.min_length < 1 || settings.max_length < settings.min_length ||
      settings.max_length > lengths) {
    return absl::InvalidArgumentError(absl::StrCat(
        "n-gram lengths are ", settings.min_length, " to ", settings.max_length,
        ", expected at least 1 and at most ", lengths, ", the entries of ngram_counts"));
  }
  if (settings.max_skips < 0 || settings.max_skips > kMostSkips) {
    return absl::InvalidArgumentError(
        absl::StrCat("max_skip_count is ", settings.max_skips, ", expected 0 to ", kMostSkips));
  }
  for (int64_t column : attributes.Ints("ngram_indexes")) {
    if (column < 0 || column >= int64_t{1} << 40) {
      return absl::InvalidArgumentError(absl::StrCat("ngram_indexes has entry ", column));
    }
    settings.columns = std::max(settings.columns, column + 1);
  }
  const size_t grams = attributes.Ints("ngram_indexes").size();
  if (settings.weighted && attributes.Floats("weights").size() != grams) {
    return absl::InvalidArgumentError(
        absl::StrCat(attributes.Floats("weights").size(), " weights for ", grams, " n-grams"));
  }
  return settings;
}

absl::StatusOr<SymbolicShape> OutputShape(const SymbolicShape& x, int64_t columns) {
  if (!x.has_rank()) return x;
  if (x.rank() == 1) return SymbolicShape({Dim(columns)});
  if (x.rank() == 2) return SymbolicShape({x[0], Dim(columns)});
  return absl::InvalidArgumentError(
      absl::StrCat("X has shape ", x.ToString(), ", expected [C] or [N,C]"));
}

absl::Status Infer(InferContext& context) {
  ASSIGN_OR_RETURN(const Settings settings, ReadSettings(context.attributes()));
  if (context.attributes().Strings("pool_strings").empty()) {
    RETURN_IF_ERROR(CheckInputType(context, 0, {DType::kInt32, DType::kInt64}));
  } else {
    RETURN_IF_ERROR(CheckInputType(context, 0, {DType::kString}));
  }
  ASSIGN_OR_RETURN(SymbolicShape shape, OutputShape(context.shape(0), settings.columns));
  context.SetOutput(0, DType::kFloat32, std::move(shape));
  return absl::OkStatus();
}

// An n-gram of the pool: where it counts and how much.
struct Gram {
  int64_t column = -1;  // -1 for what is only the beginning of longer ones
  float weight = 1;
};

// The pool's n-grams as a tree: from a node, each known next token leads to another.
template <typename Token>
class GramTree {
 public:
  void Add(absl::Span<const Token> tokens, const Gram& gram) {
    int64_t node = 0;
    for (const Token& token : tokens) {
      const auto next = static_cast<int64_t>(grams_.size());
      node = children_.try_emplace({node, token}, next).first->second;
      if (node == next) grams_.emplace_back();
    }
    grams_[node] = gram;
  }
  // The node that `token` leads to; -1 when no n-gram goes on so. The root is 0.
  int64_t Child(int64_t node, const Token& token) const {
    const auto it = children_.find({node, token});
    return it == children_.end() ? -1 : it->second;
  }
  const Gram& gram(int64_t node) const { return grams_[node]; }

 private:
  absl::flat_hash_map<std::pair<int64_t, Token>, int64_t> children_;
  std::vector<Gram> grams_ = std::vector<Gram>(1);
};

template <typename Token, typename Pool>
GramTree<Token> ReadTree(const Attributes& attributes, const Settings& settings, const Pool& pool) {
  const std::vector<int64_t>& begins = attributes.Ints("ngram_counts");
  const std::vector<int64_t>& columns = attributes.Ints("ngram_indexes");
  const std::vector<float>& weights = attributes.Floats("weights");
  const std::vector<Token> tokens(pool.begin(), pool.end());
  GramTree<Token> tree;
  size_t gram = 0;
  for (size_t i = 0; i < begins.size(); ++i) {
    const size_t end = i + 1 < begins.size() ? begins[i + 1] : tokens.size();
    const size_t length = i + 1;
    const bool wanted = static_cast<int64_t>(length) >= settings.min_length &&
                        static_cast<int64_t>(length) <= settings.max_length;
    for (size_t at = begins[i]; at < end; at += length, ++gram) {
      if (!wanted) continue;
      tree.Add(absl::MakeConstSpan(tokens).subspan(at, length),
               {columns[gram], settings.weighted ? weights[gram] : 1.0f});
    }
  }
  return tree;
}

// Adds the row's n-grams of at least `min_length` tokens, each `distance` after the one before.
template <typename Token>
void AddGrams(const GramTree<Token>& tree, absl::Span<const Token> row, int64_t min_length,
              int64_t distance, bool counted, float* out) {
  const auto size = static_cast<int64_t>(row.size());
  for (int64_t start = 0; start < size; ++start) {
    int64_t node = 0;
    int64_t length = 0;
    for (int64_t at = start; at < size; at += distance) {
      node = tree.Child(node, row[at]);
      if (node < 0) break;
      const Gram& gram = tree.gram(node);
      if (++length < min_length || gram.column < 0) continue;
      out[gram.column] = counted ? out[gram.column] + gram.weight : gram.weight;
    }
  }
}

template <typename Token, typename Element, typename Pool>
void Vectorize(const Tensor& x, const Attributes& attributes, const Settings& settings,
               const Pool& pool, float* out) {
  const GramTree<Token> tree = ReadTree<Token>(attributes, settings, pool);
  const std::vector<Token> tokens(x.data<Element>(), x.data<Element>() + x.num_elements());
  const int64_t rows = x.rank() == 1 ? 1 : x.dim(0);
  const int64_t row_size = rows == 0 ? 0 : x.num_elements() / rows;
  for (int64_t r = 0; r < rows; ++r, out += settings.columns) {
    const auto row = absl::MakeConstSpan(tokens).subspan(r * row_size, row_size);
    std::fill_n(out, settings.columns, 0.0f);
    for (int64_t skips = 0; skips <= settings.max_skips; ++skips) {
      // Single tokens are the same at every distance and count once.
      const int64_t shortest = std::max<int64_t>(settings.min_length, skips == 0 ? 1 : 2);
      if ((shortest - 1) * (skips + 1) >= std::max<int64_t>(row_size, 1)) break;
      AddGrams(tree, row, shortest, skips + 1, settings.counted, out);
    }
  }
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(0);
  const Attributes& attributes = context.attributes();
  ASSIGN_OR_RETURN(const Settings settings, ReadSettings(attributes));
  ASSIGN_OR_RETURN(const SymbolicShape shape, OutputShape(x.shape(), settings.columns));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, DType::kFloat32, shape.ToShape()));
  float* out = y->mutable_data<float>();
  if (x.dtype() == DType::kString) {
    Vectorize<absl::string_view, std::string>(x, attributes, settings,
                                              attributes.Strings("pool_strings"), out);
  } else if (x.dtype() == DType::kInt64) {
    Vectorize<int64_t, int64_t>(x, attributes, settings, attributes.Ints("pool_int64s"), out);
  } else {
    Vectorize<int64_t, int32_t>(x, attributes, settings, attributes.Ints("pool_int64s"), out);
  }
  return absl::OkStatus();
}

}  // namespace

OpDef TfIdfVectorizer() {
  return {.name = "TfIdfVectorizer",
          .since = 9,
          .attributes = {{"max_gram_length", AttributeKind::kInt, true},
                         {"max_skip_count", AttributeKind::kInt, true},
                         {"min_gram_length", AttributeKind::kInt, true},
                         {"mode", AttributeKind::kString, true},
                         {"ngram_counts", AttributeKind::kInts, true},
                         {"ngram_indexes", AttributeKind::kInts, true},
                         {"pool_int64s", AttributeKind::kInts},
                         {"pool_strings", AttributeKind::kStrings},
                         {"weights", AttributeKind::kFloats}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
