#include "server/commands/run.h"

#include <CLI/CLI.hpp>
#include <cctype>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/engine.h"
#include "server/commands/engine_flags.h"
#include "server/commands/model_inputs.h"
#include "server/commands/npy.h"
#include "server/commands/value_text.h"

namespace inferd {
namespace {

struct Flags {
  std::string model;
  InputArguments inputs;
  std::string output_dir;
  EngineFlags engine;
};

// A file name for an output: its name comes from the model and must not lead anywhere else.
std::string FileNameOf(const std::string& name, std::set<std::string>* taken) {
  std::string file;
  for (char c : name.substr(0, 200)) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' ||
                       (c == '.' && !file.empty());
    file.push_back(plain ? c : '_');
  }
  std::string unique = absl::StrCat(file, ".npy");
  for (int i = 2; !taken->insert(unique).second; ++i) unique = absl::StrCat(file, "_", i, ".npy");
  return unique;
}

absl::Status Store(const Model& model, const std::vector<Tensor>& outputs,
                   const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot make folder ", folder, ": ", error.message()));
  }
  std::set<std::string> taken;
  for (size_t i = 0; i < outputs.size(); ++i) {
    const std::string& name = model.outputs()[i].name;
    const std::string path = absl::StrCat(folder, "/", FileNameOf(name, &taken));
    RETURN_IF_ERROR(Annotate(WriteNpy(path, outputs[i]), absl::StrCat("output '", name, "'")));
    std::printf("%s -> %s\n", name.c_str(), path.c_str());
  }
  return absl::OkStatus();
}

absl::Status Run(const Flags& flags) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Model> model, CompileByFlags(flags.model, flags.engine));
  ASSIGN_OR_RETURN(const std::vector<Tensor> inputs, MakeInputs(model->inputs(), flags.inputs));
  CoreSlots slots(1, flags.engine.threads);
  absl::Status status;
  // Outputs may lie in the slot's arena, so they are used up before the slot is given back.
  slots.RunAndWait([&](CoreSlot& slot) {
    std::vector<Tensor> outputs;
    status = model->Run(slot, inputs, &outputs);
    if (!status.ok()) return;
    for (size_t i = 0; i < outputs.size(); ++i) {
      std::printf("%s: %s\n", model->outputs()[i].name.c_str(), ValueText(outputs[i]).c_str());
    }
    if (!flags.output_dir.empty()) status = Store(*model, outputs, flags.output_dir);
  });
  if (status.ok()) KeepCache(*model);
  return status;
}

}  // namespace

void AddRunCommand(CLI::App& app, int* exit_code) {
  const auto flags = std::make_shared<Flags>();
  CLI::App* command = app.add_subcommand("run", "Run a model once, with .npy files in and out");
  command->add_option("MODEL", flags->model, "The .onnx file")->required();
  command
      ->add_option("--input", flags->inputs.files,
                   "NAME=FILE.npy; inputs that are not given get seeded values")
      ->allow_extra_args(false);
  command
      ->add_option("--shape", flags->inputs.shapes,
                   "NAME=1x3x224x224, the shape of an input without file; free sizes are 1")
      ->allow_extra_args(false);
  command->add_option("--output-dir", flags->output_dir, "Folder for one .npy file an output");
  AddEngineFlags(*command, &flags->engine);
  AddCacheFlag(*command, &flags->engine.cache_dir);
  command->callback(
      [flags, exit_code] { *exit_code = ExitCodeOf("run", [&] { return Run(*flags); }); });
}

}  // namespace inferd
