#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>
#include <regex>
#include <sstream>

#include "engine/onnx/importer.h"
#include "engine/providers/providers.h"
#include "gtest/gtest.h"
#include "tests/engine/passes/fusion_test_support.h"
#include "tests/engine/passes/golden_graphs.h"

namespace inferd {
namespace {

using testing::CountOps;
using testing::GraphBuilder;
using testing::RandomTensor;

// Value ids in order of appearance, so that a dump changes only where the graph does.
std::string Renumbered(const std::string& dump) {
  static const std::regex kId("%[0-9]+");
  std::map<std::string, std::string> names;
  std::string text;
  std::sregex_iterator match(dump.begin(), dump.end(), kId);
  size_t end = 0;
  for (; match != std::sregex_iterator(); ++match) {
    text.append(dump, end, match->position() - end);
    const auto number = std::to_string(names.size());
    text += names.try_emplace(match->str(), "%" + number).first->second;
    end = match->position() + match->length();
  }
  return text.append(dump, end);
}

// With INFERD_UPDATE_GOLDEN set the files are written instead of compared.
void ExpectGolden(const std::string& name, Graph graph, bool bound = false) {
  ASSERT_TRUE(InferGraph(graph).ok());
  EngineConfig config;
  const auto providers = MakeProviders(config).value();
  for (const auto passes : {GraphPasses(), bound ? BoundPasses() : absl::Span<const Pass>()}) {
    if (passes.empty()) continue;
    const auto results = RunPasses(passes, graph, {config, providers});
    ASSERT_TRUE(results.ok()) << results.status();
  }
  const std::string dump = Renumbered(graph.ToString());
  const std::string path = std::string(INFERD_TESTS_DIR) + "/golden/" + name + ".txt";
  if (std::getenv("INFERD_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << dump;
  std::stringstream expected;
  expected << std::ifstream(path).rdbuf();
  EXPECT_EQ(dump, expected.str()) << path << " (INFERD_UPDATE_GOLDEN=1 writes it)";
}

TEST(Pipeline, OptimizesBlocksOfRealExportsAsTheGoldenDumpsShow) {
  for (auto& [name, graph] : testing::GoldenGraphs()) ExpectGolden(name, std::move(graph));
}

TEST(Pipeline, OptimizesBoundBlocksAsTheGoldenDumpsShow) {
  for (auto& [name, graph] : testing::BoundGoldenGraphs()) {
    ExpectGolden(name, std::move(graph), /*bound=*/true);
  }
}

TEST(Pipeline, OptimizesAnExampleModelAsTheGoldenDumpShows) {
  auto imported =
      ImportOnnx(std::string(INFERD_TESTS_DIR) + "/../config/examples/models/digits/1/model.onnx",
                 int64_t{1} << 30, OpRegistry::Builtin());
  ASSERT_TRUE(imported.ok()) << imported.status();
  ASSERT_TRUE(imported->graph.SortAndCompact().ok());
  ExpectGolden("digits", std::move(imported->graph));
}

TEST(Pipeline, RunsPassesThatEnableEachOtherUntilNothingChanges) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {3, 4});
  ValueId y = x;
  // Each pair cancels only once the one inside it has.
  for (int i = 0; i < 3; ++i) y = b.Op("Mul", {b.Op("Neg", {y}), b.Scalar(-1)});
  Graph graph = b.Build({b.Op("Exp", {y})});
  const EngineConfig config;
  const auto results = RunPasses(GraphPasses(), graph, {config, {}});
  ASSERT_TRUE(results.ok()) << results.status();
  EXPECT_EQ(graph.num_nodes(), 1);
}

TEST(Pipeline, RunsNoPassAtLevelNoneAndNoneThatIsDisabled) {
  EngineConfig config;
  config.optimization_level = "none";
  GraphBuilder b;
  Graph graph = b.Build({b.Op("Identity", {b.Input("x", {3})})});
  auto results = RunPasses(GraphPasses(), graph, {config, {}});
  for (const PassResult& result : *results) EXPECT_TRUE(result.skipped) << result.name;
  EXPECT_EQ(graph.num_nodes(), 1);
  config.optimization_level = "all";
  config.disabled_passes = {"remove_redundant_nodes"};
  results = RunPasses(GraphPasses(), graph, {config, {}});
  EXPECT_EQ(CountOps(graph, "Identity"), 1);
}

TEST(Pipeline, ReportsPatternsWithTheirCounts) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {3});
  Graph graph = b.Build({b.Op("Neg", {b.Op("Neg", {b.Op("Add", {x, b.Scalar(0)})})})});
  const EngineConfig config;
  const auto results = RunPasses(GraphPasses(), graph, {config, {}});
  ASSERT_TRUE(results.ok());
  EXPECT_THAT(PassReport(*results), ::testing::HasSubstr("inverse pair 1, neutral element 1"));
}

TEST(Pipeline, TakesALongChainApart) {
  GraphBuilder b;
  ValueId y = b.Input("x", {3});
  for (int i = 0; i < 20000; ++i) y = b.Op(i % 2 == 0 ? "Identity" : "Neg", {y});
  Graph graph = b.Build({y});
  const EngineConfig config;
  const auto results = RunPasses(GraphPasses(), graph, {config, {}});
  ASSERT_TRUE(results.ok());
  EXPECT_LT(graph.num_nodes(), 2);
}

}  // namespace
}  // namespace inferd
