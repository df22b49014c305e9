#include <cmath>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/normalization.h"
#include "engine/ops/tree_ensemble.h"

namespace inferd {
namespace {

using NodeIndex = absl::flat_hash_map<std::pair<int64_t, int64_t>, int64_t>;

absl::Status CheckLength(absl::string_view name, size_t length, size_t expected) {
  if (length == expected) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("attribute ", name, " has ", length, " values, expected ", expected));
}

absl::StatusOr<TreeMode> ModeOf(absl::string_view name) {
  if (name == "BRANCH_LEQ") return TreeMode::kLessEqual;
  if (name == "BRANCH_LT") return TreeMode::kLess;
  if (name == "BRANCH_GTE") return TreeMode::kGreaterEqual;
  if (name == "BRANCH_GT") return TreeMode::kGreater;
  if (name == "BRANCH_EQ") return TreeMode::kEqual;
  if (name == "BRANCH_NEQ") return TreeMode::kNotEqual;
  return absl::InvalidArgumentError(absl::StrCat("attribute nodes_modes has \"", name, "\""));
}

absl::StatusOr<TreeAggregate> AggregateOf(absl::string_view name) {
  if (name == "SUM") return TreeAggregate::kSum;
  if (name == "AVERAGE") return TreeAggregate::kAverage;
  if (name == "MIN") return TreeAggregate::kMin;
  if (name == "MAX") return TreeAggregate::kMax;
  return absl::InvalidArgumentError(absl::StrCat("attribute aggregate_function is \"", name,
                                                 "\", expected SUM, AVERAGE, MIN or MAX"));
}

// Floats from attribute `name` or, where that exists, from the tensor `name`_as_tensor.
absl::StatusOr<std::vector<double>> ReadNumbers(const Attributes& attributes,
                                                const std::string& name, bool* is_double) {
  if (const Tensor* tensor = attributes.TensorOrNull(name + "_as_tensor")) {
    if (tensor->dtype() == DType::kFloat64) *is_double = true;
    return ToDoubles(*tensor);
  }
  const std::vector<float>& values = attributes.Floats(name);
  return std::vector<double>(values.begin(), values.end());
}

// The nodes of TreeEnsembleClassifier and Regressor, found by (tree id, node id).
absl::Status ReadNodes(const Attributes& attributes, TreeEnsemble::Source* source,
                       NodeIndex* index) {
  const std::vector<int64_t>& tree_ids = attributes.Ints("nodes_treeids");
  const std::vector<int64_t>& node_ids = attributes.Ints("nodes_nodeids");
  const std::vector<int64_t>& features = attributes.Ints("nodes_featureids");
  const std::vector<int64_t>& on_true = attributes.Ints("nodes_truenodeids");
  const std::vector<int64_t>& on_false = attributes.Ints("nodes_falsenodeids");
  const std::vector<int64_t>& missing = attributes.Ints("nodes_missing_value_tracks_true");
  const std::vector<std::string>& modes = attributes.Strings("nodes_modes");
  ASSIGN_OR_RETURN(const std::vector<double> values,
                   ReadNumbers(attributes, "nodes_values", &source->double_precision));
  const size_t count = node_ids.size();
  RETURN_IF_ERROR(CheckLength("nodes_treeids", tree_ids.size(), count));
  RETURN_IF_ERROR(CheckLength("nodes_featureids", features.size(), count));
  RETURN_IF_ERROR(CheckLength("nodes_truenodeids", on_true.size(), count));
  RETURN_IF_ERROR(CheckLength("nodes_falsenodeids", on_false.size(), count));
  RETURN_IF_ERROR(CheckLength("nodes_modes", modes.size(), count));
  RETURN_IF_ERROR(CheckLength("nodes_values", values.size(), count));
  if (!missing.empty()) {
    RETURN_IF_ERROR(CheckLength("nodes_missing_value_tracks_true", missing.size(), count));
  }
  for (size_t i = 0; i < count; ++i) {
    if (!index->emplace(std::pair(tree_ids[i], node_ids[i]), i).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("tree ", tree_ids[i], " has two nodes ", node_ids[i]));
    }
  }
  source->nodes.resize(count);
  std::vector<bool> is_child(count);
  for (size_t i = 0; i < count; ++i) {
    TreeEnsemble::RawNode& node = source->nodes[i];
    node.leaf = modes[i] == "LEAF";
    if (node.leaf) continue;
    ASSIGN_OR_RETURN(node.mode, ModeOf(modes[i]));
    node.missing_tracks_true = !missing.empty() && missing[i] != 0;
    node.feature = features[i];
    node.threshold = values[i];
    for (auto [id, child] :
         {std::pair(on_true[i], &node.on_true), std::pair(on_false[i], &node.on_false)}) {
      const auto found = index->find(std::pair(tree_ids[i], id));
      if (found == index->end()) {
        return absl::InvalidArgumentError(absl::StrCat("node ", node_ids[i], " of tree ",
                                                       tree_ids[i], " has child ", id,
                                                       ", which does not exist"));
      }
      *child = found->second;
      is_child[found->second] = true;
    }
  }
  // The root of a tree is its first node that is nobody's child.
  absl::flat_hash_map<int64_t, bool> rooted;
  for (size_t i = 0; i < count; ++i) {
    bool& has_root = rooted[tree_ids[i]];
    if (is_child[i] || has_root) continue;
    has_root = true;
    source->roots.push_back(static_cast<int64_t>(i));
  }
  for (const auto& [tree, has_root] : rooted) {
    if (!has_root) {
      return absl::InvalidArgumentError(absl::StrCat("tree ", tree, " has no root: it is a cycle"));
    }
  }
  return absl::OkStatus();
}

// The votes of the leaves: attributes `prefix`_treeids, _nodeids, _ids and _weights.
absl::Status ReadLeaves(const Attributes& attributes, const std::string& prefix,
                        const NodeIndex& index, TreeEnsemble::Source* source) {
  const std::vector<int64_t>& tree_ids = attributes.Ints(prefix + "_treeids");
  const std::vector<int64_t>& node_ids = attributes.Ints(prefix + "_nodeids");
  const std::vector<int64_t>& targets = attributes.Ints(prefix + "_ids");
  ASSIGN_OR_RETURN(const std::vector<double> weights,
                   ReadNumbers(attributes, prefix + "_weights", &source->double_precision));
  RETURN_IF_ERROR(CheckLength(prefix + "_nodeids", node_ids.size(), tree_ids.size()));
  RETURN_IF_ERROR(CheckLength(prefix + "_ids", targets.size(), tree_ids.size()));
  RETURN_IF_ERROR(CheckLength(prefix + "_weights", weights.size(), tree_ids.size()));
  for (size_t i = 0; i < tree_ids.size(); ++i) {
    const auto found = index.find(std::pair(tree_ids[i], node_ids[i]));
    if (found == index.end()) {
      return absl::InvalidArgumentError(absl::StrCat(prefix, " weight ", i, " belongs to node ",
                                                     node_ids[i], " of tree ", tree_ids[i],
                                                     ", which does not exist"));
    }
    TreeEnsemble::RawNode& node = source->nodes[found->second];
    if (!node.leaf) continue;  // weights of inner nodes have no meaning
    if (targets[i] < 0 || targets[i] >= source->targets) {
      return absl::InvalidArgumentError(absl::StrCat("attribute ", prefix, "_ids has ", targets[i],
                                                     ", expected below ", source->targets));
    }
    node.weights.push_back({static_cast<int32_t>(targets[i]), weights[i]});
  }
  return absl::OkStatus();
}

absl::Status CheckBaseValues(const TreeEnsemble::Source& source) {
  if (source.base_values.empty()) return absl::OkStatus();
  return CheckLength("base_values", source.base_values.size(), source.targets);
}

absl::Status CheckTargets(int64_t targets) {
  if (targets >= 1 && targets < (int64_t{1} << 31)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("tree ensemble has ", targets, " targets"));
}

// One branch of a TreeEnsemble node: index `id` among the leaves or the inner nodes.
absl::StatusOr<int64_t> ChildOf(int64_t id, bool is_leaf, int64_t inner_nodes, int64_t leaves) {
  const int64_t count = is_leaf ? leaves : inner_nodes;
  if (id < 0 || id >= count) {
    return absl::InvalidArgumentError(
        absl::StrCat("tree node has child ", id, " of ", count, is_leaf ? " leaves" : " nodes"));
  }
  return is_leaf ? inner_nodes + id : id;
}

// The member sets, one for every node that tests membership: NaN ends a set.
absl::Status ReadMembers(const Attributes& attributes, int64_t inner_nodes,
                         TreeEnsemble::Source* source) {
  std::vector<double> members;
  if (const Tensor* tensor = attributes.TensorOrNull("membership_values")) {
    ASSIGN_OR_RETURN(members, ToDoubles(*tensor));
  }
  size_t next = 0;
  for (int64_t i = 0; i < inner_nodes; ++i) {
    TreeEnsemble::RawNode& node = source->nodes[i];
    if (node.mode != TreeMode::kMember) continue;
    if (next >= members.size()) {
      return absl::InvalidArgumentError("attribute membership_values has too few sets");
    }
    for (; next < members.size() && !std::isnan(members[next]); ++next) {
      node.members.push_back(members[next]);
    }
    ++next;
  }
  return absl::OkStatus();
}

absl::Status ReadIndexedLeaves(const Attributes& attributes, TreeEnsemble::Source* source,
                               int64_t* leaves) {
  const std::vector<int64_t>& targets = attributes.Ints("leaf_targetids");
  const Tensor* tensor = attributes.TensorOrNull("leaf_weights");
  if (tensor == nullptr) return absl::InvalidArgumentError("attribute leaf_weights is missing");
  source->double_precision |= tensor->dtype() == DType::kFloat64;
  ASSIGN_OR_RETURN(const std::vector<double> weights, ToDoubles(*tensor));
  RETURN_IF_ERROR(CheckLength("leaf_weights", weights.size(), targets.size()));
  *leaves = static_cast<int64_t>(targets.size());
  for (size_t i = 0; i < targets.size(); ++i) {
    if (targets[i] < 0 || targets[i] >= source->targets) {
      return absl::InvalidArgumentError(absl::StrCat("attribute leaf_targetids has ", targets[i],
                                                     ", expected below ", source->targets));
    }
    TreeEnsemble::RawNode leaf;
    leaf.leaf = true;
    leaf.weights.push_back({static_cast<int32_t>(targets[i]), weights[i]});
    source->nodes.push_back(std::move(leaf));
  }
  return absl::OkStatus();
}

absl::Status ReadIndexedNodes(const Attributes& attributes, TreeEnsemble::Source* source) {
  const std::vector<int64_t>& features = attributes.Ints("nodes_featureids");
  const std::vector<int64_t>& on_true = attributes.Ints("nodes_truenodeids");
  const std::vector<int64_t>& on_false = attributes.Ints("nodes_falsenodeids");
  const std::vector<int64_t>& true_leafs = attributes.Ints("nodes_trueleafs");
  const std::vector<int64_t>& false_leafs = attributes.Ints("nodes_falseleafs");
  const std::vector<int64_t>& missing = attributes.Ints("nodes_missing_value_tracks_true");
  const Tensor* modes_tensor = attributes.TensorOrNull("nodes_modes");
  const Tensor* splits_tensor = attributes.TensorOrNull("nodes_splits");
  if (modes_tensor == nullptr || splits_tensor == nullptr) {
    return absl::InvalidArgumentError("attribute nodes_modes or nodes_splits is missing");
  }
  source->double_precision |= splits_tensor->dtype() == DType::kFloat64;
  ASSIGN_OR_RETURN(const std::vector<double> modes, ToDoubles(*modes_tensor));
  ASSIGN_OR_RETURN(const std::vector<double> splits, ToDoubles(*splits_tensor));
  const size_t count = features.size();
  RETURN_IF_ERROR(CheckLength("nodes_truenodeids", on_true.size(), count));
  RETURN_IF_ERROR(CheckLength("nodes_falsenodeids", on_false.size(), count));
  RETURN_IF_ERROR(CheckLength("nodes_trueleafs", true_leafs.size(), count));
  RETURN_IF_ERROR(CheckLength("nodes_falseleafs", false_leafs.size(), count));
  RETURN_IF_ERROR(CheckLength("nodes_modes", modes.size(), count));
  RETURN_IF_ERROR(CheckLength("nodes_splits", splits.size(), count));
  if (!missing.empty()) {
    RETURN_IF_ERROR(CheckLength("nodes_missing_value_tracks_true", missing.size(), count));
  }
  source->nodes.resize(count);
  int64_t leaves = 0;
  RETURN_IF_ERROR(ReadIndexedLeaves(attributes, source, &leaves));
  const int64_t inner = static_cast<int64_t>(count);
  for (size_t i = 0; i < count; ++i) {
    TreeEnsemble::RawNode& node = source->nodes[i];
    if (!(modes[i] >= 0 && modes[i] <= 6)) {
      return absl::InvalidArgumentError(absl::StrCat("attribute nodes_modes has ", modes[i]));
    }
    node.mode = static_cast<TreeMode>(static_cast<int>(modes[i]));
    node.missing_tracks_true = !missing.empty() && missing[i] != 0;
    node.feature = features[i];
    node.threshold = splits[i];
    ASSIGN_OR_RETURN(node.on_true, ChildOf(on_true[i], true_leafs[i] != 0, inner, leaves));
    ASSIGN_OR_RETURN(node.on_false, ChildOf(on_false[i], false_leafs[i] != 0, inner, leaves));
  }
  return ReadMembers(attributes, inner, source);
}

}  // namespace

absl::StatusOr<TreeEnsemble> TreeEnsemble::FromClassifier(const Attributes& attributes) {
  Source source;
  source.targets = static_cast<int64_t>(std::max(attributes.Ints("classlabels_int64s").size(),
                                                 attributes.Strings("classlabels_strings").size()));
  if (source.targets == 0) return absl::InvalidArgumentError("the classifier has no class labels");
  NodeIndex index;
  RETURN_IF_ERROR(ReadNodes(attributes, &source, &index));
  RETURN_IF_ERROR(ReadLeaves(attributes, "class", index, &source));
  ASSIGN_OR_RETURN(source.base_values,
                   ReadNumbers(attributes, "base_values", &source.double_precision));
  if (source.base_values.size() != 1 || source.targets > 2) {
    RETURN_IF_ERROR(CheckBaseValues(source));
  }
  return Build(std::move(source));
}

absl::StatusOr<TreeEnsemble> TreeEnsemble::FromRegressor(const Attributes& attributes) {
  Source source;
  source.targets = attributes.Int("n_targets", 1);
  RETURN_IF_ERROR(CheckTargets(source.targets));
  ASSIGN_OR_RETURN(source.aggregate, AggregateOf(attributes.String("aggregate_function", "SUM")));
  NodeIndex index;
  RETURN_IF_ERROR(ReadNodes(attributes, &source, &index));
  RETURN_IF_ERROR(ReadLeaves(attributes, "target", index, &source));
  ASSIGN_OR_RETURN(source.base_values,
                   ReadNumbers(attributes, "base_values", &source.double_precision));
  RETURN_IF_ERROR(CheckBaseValues(source));
  return Build(std::move(source));
}

absl::StatusOr<TreeEnsemble> TreeEnsemble::FromIndexed(const Attributes& attributes) {
  Source source;
  source.targets = attributes.Int("n_targets", 1);
  RETURN_IF_ERROR(CheckTargets(source.targets));
  const int64_t aggregate = attributes.Int("aggregate_function", 1);
  if (aggregate < 0 || aggregate > 3) {
    return absl::InvalidArgumentError(
        absl::StrCat("attribute aggregate_function is ", aggregate, ", expected 0 to 3"));
  }
  source.aggregate = static_cast<TreeAggregate>(aggregate);
  RETURN_IF_ERROR(ReadIndexedNodes(attributes, &source));
  const int64_t inner = static_cast<int64_t>(attributes.Ints("nodes_featureids").size());
  for (int64_t root : attributes.Ints("tree_roots")) {
    if (root < 0 || root >= inner) {
      return absl::InvalidArgumentError(
          absl::StrCat("attribute tree_roots has ", root, " of ", inner, " nodes"));
    }
    source.roots.push_back(root);
    // A tree of one leaf is written as a node whose branches are the same leaf.
    RawNode& node = source.nodes[root];
    if (node.on_true == node.on_false && node.on_true >= inner) {
      node = source.nodes[node.on_true];
    }
  }
  return Build(std::move(source));
}

}  // namespace inferd
