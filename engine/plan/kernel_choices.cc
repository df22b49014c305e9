#include "engine/plan/kernel_choices.h"

#include <functional>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "engine/graph/op_def.h"

namespace inferd {
namespace {

void AppendAttributes(const Attributes& attributes, std::string* key) {
  for (const auto& [name, value] : attributes.values()) {
    absl::StrAppend(key, " ", name, "=", ToString(value));
  }
}

void AppendValue(const Graph& graph, ValueId id, std::string* key) {
  if (id == kNoValue) {
    absl::StrAppend(key, " -");
    return;
  }
  const Value& value = graph.value(id);
  absl::StrAppend(key, " ", value.type.ToString(), value.layout == Layout::kChannelsLast ? "l" : "",
                  value.constant ? "c" : "");
}

}  // namespace

std::string StepKey(const Graph& graph, const Node& node, absl::string_view provider, int threads) {
  std::string key = absl::StrCat(provider, " ", threads, " ", node.op->domain, ".", node.op->name);
  AppendAttributes(node.attributes, &key);
  absl::StrAppend(&key, " (");
  for (const ValueId input : node.inputs) AppendValue(graph, input, &key);
  absl::StrAppend(&key, " ) (");
  for (const ValueId output : node.outputs) AppendValue(graph, output, &key);
  absl::StrAppend(&key, " )");
  for (const EpilogueStep& step : node.epilogue) {
    absl::StrAppend(&key, " > ", step.op->name, " ", step.operand, step.operand_first ? "f" : "");
    AppendAttributes(step.attributes, &key);
  }
  // Attributes may hold any text; a key is one line.
  return absl::CEscape(key);
}

std::string KernelChoices::Find(absl::string_view step_key) const {
  MutexLock lock(&mutex_);
  const auto it = by_key_.find(step_key);
  return it == by_key_.end() ? "" : it->second;
}

void KernelChoices::Set(absl::string_view step_key, absl::string_view candidate) {
  MutexLock lock(&mutex_);
  by_key_[std::string(step_key)] = std::string(candidate);
}

bool KernelChoices::empty() const {
  MutexLock lock(&mutex_);
  return by_key_.empty();
}

std::string KernelChoices::ToText() const {
  MutexLock lock(&mutex_);
  std::string text;
  for (const auto& [key, candidate] : by_key_) absl::StrAppend(&text, candidate, "\t", key, "\n");
  return text;
}

absl::Status KernelChoices::AddText(absl::string_view text) {
  std::vector<std::pair<std::string, std::string>> choices;
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    std::pair<std::string, std::string> choice = absl::StrSplit(line, absl::MaxSplits('\t', 1));
    if (choice.first.empty() || choice.second.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("expected a candidate, a tab and the key of a step, got '", line, "'"));
    }
    choices.push_back(std::move(choice));
  }
  for (const auto& [candidate, key] : choices) Set(key, candidate);
  return absl::OkStatus();
}

}  // namespace inferd
