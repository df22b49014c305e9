#include "server/commands/inspect.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/engine.h"
#include "server/commands/engine_flags.h"
#include "server/commands/model_inputs.h"

namespace inferd {
namespace {

struct Flags {
  std::string model;
  InputArguments inputs;
  EngineFlags engine;
  bool passes = false;
  bool plan = false;
};

void Print(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

void PrintHeader(const std::string& path, const Model& model) {
  const ModelMetadata& metadata = model.metadata();
  std::string text = absl::StrCat("model ", path, "\n");
  absl::StrAppend(&text, "  graph: ", metadata.graph_name, "\n");
  absl::StrAppend(&text, "  producer: ", metadata.producer, "\n");
  absl::StrAppend(&text, "  ir_version: ", metadata.ir_version, "\n");
  for (const auto& [domain, version] : metadata.opsets) {
    absl::StrAppend(&text, "  opset: ", domain.empty() ? "ai.onnx" : domain, " ", version, "\n");
  }
  for (const auto& [key, value] : metadata.properties) {
    absl::StrAppend(&text, "  property: ", key, " = ", value.substr(0, 200), "\n");
  }
  for (const TensorInfo& info : model.inputs()) {
    absl::StrAppend(&text, "  input: ", info.name, " ", SignatureText(info), "\n");
  }
  for (const TensorInfo& info : model.outputs()) {
    absl::StrAppend(&text, "  output: ", info.name, " ", SignatureText(info), "\n");
  }
  absl::StrAppend(&text, "  weights: ", model.memory_use().weight_bytes, " bytes\n");
  Print(text);
}

// Whether sequences of different lengths run together, and padded ones without their padding.
void PrintPacking(Model& model, int threads) {
  CoreSlot slot(threads);
  const PackingVerdict packing = model.CheckPacking(slot);
  if (packing.reason.empty()) return;
  Print(absl::StrCat("\nsequences:\n", packing.packs ? "lengths mixed: " : "one length a batch: ",
                     packing.reason, "\n"));
}

absl::Status Inspect(const Flags& flags) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Model> model, CompileByFlags(flags.model, flags.engine));
  PrintHeader(flags.model, *model);
  Print(absl::StrCat("\nas imported:\n", model->OriginalGraphDump()));
  if (flags.passes) {
    Print(absl::StrCat("\npasses:\n", model->PassReport()));
    PrintPacking(*model, flags.engine.threads);
  }
  Print(absl::StrCat("\noptimized:\n", model->GraphDump()));
  if (!flags.plan) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::vector<Tensor> inputs, MakeInputs(model->inputs(), flags.inputs));
  RETURN_IF_ERROR(model->CheckInputs(inputs));
  ASSIGN_OR_RETURN(const std::string plan, model->PlanDump(ShapesOf(inputs)));
  Print(absl::StrCat("\nplan:\n", plan));
  return absl::OkStatus();
}

}  // namespace

void AddInspectCommand(CLI::App& app, int* exit_code) {
  const auto flags = std::make_shared<Flags>();
  CLI::App* command =
      app.add_subcommand("inspect", "Show a model's graph before and after optimization");
  command->add_option("MODEL", flags->model, "The .onnx file")->required();
  command->add_flag("--passes", flags->passes, "Also what each pass did");
  command->add_flag("--plan", flags->plan, "Also the plan: providers, steps and memory");
  command
      ->add_option("--shape", flags->inputs.shapes,
                   "NAME=1x3x224x224, for which the plan is made; free sizes are 1")
      ->allow_extra_args(false);
  AddEngineFlags(*command, &flags->engine);
  command->callback(
      [flags, exit_code] { *exit_code = ExitCodeOf("inspect", [&] { return Inspect(*flags); }); });
}

}  // namespace inferd
