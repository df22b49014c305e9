#include "engine/ops/custom/op_library.h"

#include <dlfcn.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/custom/custom_op.h"

namespace inferd {
namespace {

constexpr char kEntryPoint[] = "inferd_custom_ops";
constexpr size_t kMaxOps = 4096;

absl::Status LoaderError(absl::string_view what) {
  const char* reason = dlerror();
  return absl::InvalidArgumentError(
      absl::StrCat(what, ": ", reason == nullptr ? "no reason given" : reason));
}

absl::StatusOr<const InferdCustomOps*> Open(const std::string& path) {
  const std::string file = absl::StrContains(path, '/') ? path : absl::StrCat("./", path);
  void* const library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return LoaderError("cannot be loaded");
  const auto entry = reinterpret_cast<decltype(&inferd_custom_ops)>(dlsym(library, kEntryPoint));
  if (entry == nullptr) return LoaderError("is not a library of operators");
  const InferdCustomOps* ops = entry();
  if (ops == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat(kEntryPoint, "() gave nothing"));
  }
  if (ops->abi_version != INFERD_CUSTOM_OP_ABI_VERSION) {
    return absl::InvalidArgumentError(
        absl::StrCat("built for version ", ops->abi_version, " of inferd_custom_op.h, expected ",
                     INFERD_CUSTOM_OP_ABI_VERSION, ": build it anew"));
  }
  if (ops->num_ops > kMaxOps || (ops->num_ops > 0 && ops->ops == nullptr)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "expected at most ", kMaxOps, " operators and a list of them, got ", ops->num_ops));
  }
  return ops;
}

absl::Status AddOps(const std::string& path, OpRegistry* registry) {
  ASSIGN_OR_RETURN(const InferdCustomOps* const ops, Open(path));
  for (size_t i = 0; i < ops->num_ops; ++i) {
    ASSIGN_OR_RETURN(OpDef def, MakeCustomOp(ops->ops[i]));
    RETURN_IF_ERROR(registry->Add(std::move(def)));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::shared_ptr<const OpRegistry>> LoadOpLibraries(
    absl::Span<const std::string> paths) {
  const OpRegistry& builtin = OpRegistry::Builtin();
  if (paths.empty()) return std::shared_ptr<const OpRegistry>(std::shared_ptr<void>(), &builtin);
  auto registry = std::make_shared<OpRegistry>(&builtin);
  for (const std::string& path : paths) {
    if (absl::Status status = AddOps(path, registry.get()); !status.ok()) {
      return Annotate(status, absl::StrCat("operator library '", path, "'"));
    }
  }
  return std::shared_ptr<const OpRegistry>(std::move(registry));
}

}  // namespace inferd
