#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "engine/graph/op_def.h"
#include "engine/passes/pass.h"
#include "engine/providers/execution_provider.h"
#include "engine/providers/portable/portable_kernel.h"

namespace inferd::testing {

// A provider that supports and lays out what its two functions say; its kernels are the portable
// ones.
class FakeProvider : public ExecutionProvider {
 public:
  using Supported = std::function<bool(const Graph&, const Node&)>;
  using Preference = std::function<LayoutPreference(const Node&)>;

  FakeProvider(Supported supported, Preference preference)
      : supported_(std::move(supported)), preference_(std::move(preference)) {}

  absl::string_view name() const override { return "fake"; }
  bool Supports(const Graph& graph, const Node& node) const override {
    return supported_(graph, node);
  }
  LayoutPreference Layouts(const Graph&, const Node& node) const override {
    return preference_(node);
  }
  absl::StatusOr<std::unique_ptr<BoundKernel>> Prepare(const Graph&, const Node& node,
                                                       const PrepareContext&) override {
    return std::make_unique<PortableKernel>(node, true, int64_t{1} << 30);
  }

 private:
  Supported supported_;
  Preference preference_;
};

// Providers and config for running passes in tests.
struct FakePassContext {
  EngineConfig config;
  std::vector<std::unique_ptr<ExecutionProvider>> providers;

  PassContext get() const { return PassContext{config, providers}; }
};

// One provider that supports everything and runs it row-major.
inline FakePassContext SupportsEverything() {
  FakePassContext context;
  context.providers.push_back(
      std::make_unique<FakeProvider>([](const Graph&, const Node&) { return true; },
                                     [](const Node&) { return LayoutPreference::kRowMajor; }));
  return context;
}

}  // namespace inferd::testing
