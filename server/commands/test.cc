#include "server/commands/test.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/engine.h"
#include "server/commands/engine_flags.h"
#include "server/commands/value_compare.h"

namespace inferd {
namespace {

namespace fs = std::filesystem;

struct Flags {
  std::vector<std::string> folders;
  Tolerance tolerance;
  EngineFlags engine;
};

struct Counts {
  int passed = 0;
  int failed = 0;
  int skipped = 0;
};

// The sub-folders of `folder` whose names begin with `prefix`, by name.
std::vector<std::string> SubFolders(const std::string& folder, absl::string_view prefix) {
  std::vector<std::string> result;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (absl::StartsWith(name, prefix) && it->is_directory(error)) result.push_back(it->path());
  }
  std::sort(result.begin(), result.end());
  return result;
}

bool IsTest(const std::string& folder) { return fs::exists(folder + "/model.onnx"); }

// A folder of tests stands for the tests in it.
std::vector<std::string> TestFolders(const std::vector<std::string>& given) {
  std::vector<std::string> tests;
  for (const std::string& folder : given) {
    const std::vector<std::string> inner =
        IsTest(folder) ? std::vector<std::string>() : SubFolders(folder, "");
    const bool holds_tests = std::any_of(inner.begin(), inner.end(), IsTest);
    if (holds_tests) {
      tests.insert(tests.end(), inner.begin(), inner.end());
    } else {
      tests.push_back(folder);
    }
  }
  return tests;
}

// input_0.pb, input_1.pb, ... as values of the signature's kinds.
absl::StatusOr<std::vector<Tensor>> ReadValues(const std::string& folder, absl::string_view name,
                                               const std::vector<TensorInfo>& infos) {
  std::vector<Tensor> values;
  for (size_t i = 0; i < infos.size(); ++i) {
    const std::string path = absl::StrCat(folder, "/", name, "_", i, ".pb");
    ASSIGN_OR_RETURN(Tensor value, ReadTensorFile(path, infos[i].type.kind));
    values.push_back(std::move(value));
  }
  return values;
}

absl::Status RunDataSet(Model& model, CoreSlot& slot, const std::string& folder,
                        const Tolerance& tolerance) {
  ASSIGN_OR_RETURN(const std::vector<Tensor> inputs, ReadValues(folder, "input", model.inputs()));
  ASSIGN_OR_RETURN(const std::vector<Tensor> expected,
                   ReadValues(folder, "output", model.outputs()));
  std::vector<Tensor> outputs;
  RETURN_IF_ERROR(model.Run(slot, inputs, &outputs));
  for (size_t i = 0; i < outputs.size(); ++i) {
    RETURN_IF_ERROR(Annotate(CompareValues(outputs[i], expected[i], tolerance),
                             absl::StrCat("output '", model.outputs()[i].name, "'")));
  }
  return absl::OkStatus();
}

absl::Status RunTest(const std::string& folder, const std::vector<std::string>& data_sets,
                     const Flags& flags, CoreSlots& slots) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Model> model,
                   CompileByFlags(folder + "/model.onnx", flags.engine));
  absl::Status status;
  slots.RunAndWait([&](CoreSlot& slot) {
    for (const std::string& data_set : data_sets) {
      status = Annotate(RunDataSet(*model, slot, data_set, flags.tolerance),
                        fs::path(data_set).filename().string());
      if (!status.ok()) return;
    }
  });
  return status;
}

int Test(const Flags& flags) {
  CoreSlots slots(1, flags.engine.threads);
  Counts counts;
  for (const std::string& folder : TestFolders(flags.folders)) {
    const std::vector<std::string> data_sets = SubFolders(folder, "test_data_set_");
    if (!IsTest(folder) || data_sets.empty()) {
      ++counts.skipped;
      std::printf("SKIPPED %s: it has no %s\n", folder.c_str(),
                  IsTest(folder) ? "test_data_set_* folder" : "model.onnx");
      continue;
    }
    const absl::Status status = RunTest(folder, data_sets, flags, slots);
    ++(status.ok() ? counts.passed : counts.failed);
    if (!status.ok()) {
      std::printf("FAILED %s: %s\n", folder.c_str(), std::string(status.message()).c_str());
    }
    std::fflush(stdout);
  }
  std::printf("%d passed, %d failed, %d skipped\n", counts.passed, counts.failed, counts.skipped);
  return counts.failed == 0 ? 0 : kCommandFailed;
}

}  // namespace

void AddTestCommand(CLI::App& app, int* exit_code) {
  const auto flags = std::make_shared<Flags>();
  CLI::App* command = app.add_subcommand("test", "Run ONNX-backend-style test folders");
  command
      ->add_option("DIR", flags->folders,
                   "Folder with model.onnx and test_data_set_*/, or a folder of such folders")
      ->required();
  command->add_option("--rtol", flags->tolerance.relative, "Relative tolerance")
      ->capture_default_str();
  command->add_option("--atol", flags->tolerance.absolute, "Absolute tolerance")
      ->capture_default_str();
  AddEngineFlags(*command, &flags->engine);
  command->callback([flags, exit_code] { *exit_code = Test(*flags); });
}

}  // namespace inferd
