"""Dependencies go left to right only; each foreign library stays in its corner."""

import re

import exceptions

# Lower numbers may not include higher ones. The longest matching prefix counts.
RANKS = {
    "proto/": 0,
    "config/": 10,
    "engine/core/": 20,
    "engine/graph/": 21,
    "engine/ops/": 22,
    "engine/onnx/": 23,
    "engine/providers/": 23,
    "engine/passes/": 24,
    "engine/plan/": 25,
    "engine/runtime/": 26,
    "engine/": 27,
    "server/metrics/": 30,
    "server/tracing/": 30.5,
    "server/scheduler/": 31,
    "server/security/": 31,
    "server/access/": 32,
    "server/model/": 32,
    "server/repository/": 33,
    "server/rpc/": 34,
    "server/http/": 35,
    "server/rest/": 36,
    "server/commands/": 37,
    "server/": 38,
}

# Spine headers without dependencies of their own, usable from lower down than their folder.
LOW_HEADERS = {
    "engine/plan/weight_store.h": 22,  # what kernels pack their constants into; a map over core/
    "engine/plan/device_weights.h": 22,  # the same in the memory of devices
    "engine/core/status_macros.h": 5,  # macros over absl::Status alone
    "engine/runtime/core_slots.h": 21,  # part of the engine's public face
}

# Library headers -> the folders that may include them, and why the others may not.
CORNERS = [
    (
        re.compile(r"^(grpcpp|grpc)/|\.grpc\.pb\.h$"),
        ("server/rpc/", "server/main.cc", "loadtest/", "tests/"),
        "gRPC",
    ),
    (re.compile(r"dnnl"), ("engine/providers/cpu/", "tests/engine/providers/"), "oneDNN"),
    (
        re.compile(r"^(cuda|cublas|cudnn|curand|nvrtc|nvml|cub/|thrust/|cute/|cutlass/)"),
        ("engine/providers/cuda/", "tests/engine/providers/cuda/", "tests/support/cuda_emulation/"),
        "CUDA",
    ),
    (
        re.compile(r"^onnx/|onnx[-_]ml\.pb\.h$|onnx\.pb\.h$"),
        ("engine/onnx/", "tests/"),
        "ONNX's protobuf",
    ),
    (re.compile(r"^boost/"), ("server/http/", "tests/server/http/"), "Boost"),
    (re.compile(r"^rapidjson/"), ("server/rest/json_value.cc",), "RapidJSON"),
    (re.compile(r"^zlib\.h$"), ("server/http/", "server/rpc/", "tests/server/"), "zlib"),
    (
        re.compile(r"^openssl/"),
        ("server/security/", "server/http/", "tests/server/security/"),
        "OpenSSL",
    ),
    (re.compile(r"^hwy/"), ("engine/providers/cpu/", "tests/engine/providers/"), "Highway"),
    (re.compile(r"^prometheus/"), ("server/metrics/", "tests/server/"), "prometheus-cpp"),
    (
        re.compile(r"^(jpeglib|jerror|png|openjpeg|tiffio|tiff)\.h$|^webp/"),
        ("engine/ops/image/",),
        "image libraries",
    ),
    (re.compile(r"^re2/"), ("engine/ops/regex.cc",), "RE2"),
    (re.compile(r"^utf8proc\.h$"), ("engine/ops/utf8_text.cc",), "utf8proc"),
]

# What an #if may ask about outside providers.cc: the compiler, the processor and Highway's own
# include protocol, never a feature of ours.
CONDITIONS = re.compile(r"^\s*#\s*(?:el)?if(?:n?def)?\b(.*)$", re.MULTILINE)
ALLOWED_CONDITION = re.compile(
    r"^(?:\s|defined|[()!&|=<>0-9]|__\w+|HWY_\w+|INFERD_\w+_INL_H_|ABSL_HAVE_\w+|NDEBUG)+$"
)

GRPC_FILES_LIMIT = 12


def rank(path):
    if path in LOW_HEADERS:
        return LOW_HEADERS[path]
    best = max((p for p in RANKS if path.startswith(p)), key=len, default=None)
    return None if best is None else RANKS[best]


def unit(path):
    """The module of a path: its longest matching prefix."""
    return max((p for p in RANKS if path.startswith(p)), key=len, default=None)


def check_direction(tree):
    for file in tree.code("config/", "engine/", "server/"):
        for line, kind, target in file.includes():
            if kind != '"' or rank(target) is None or (file.path, target) in exceptions.INCLUDES:
                continue
            same = unit(file.path) == unit(target)
            if not same and rank(target) >= rank(file.path):
                yield (
                    file.path,
                    line,
                    "layering",
                    f"{unit(file.path)} must not include {target}: "
                    f"{unit(target)} is not below it in the order of dependencies",
                )


def check_engine_face(tree):
    """The server and the load generator see the engine, if at all, through engine.h."""
    face = {"engine/engine.h"}
    if "engine/engine.h" in tree.files:
        face |= {t for _, _, t in tree.files["engine/engine.h"].includes()}
    for file in tree.code("server/"):
        for line, _, target in file.includes():
            if (
                target.startswith("engine/")
                and target not in face
                and not target.startswith("engine/core/")
                and (file.path, target) not in exceptions.INCLUDES
            ):
                yield (
                    file.path,
                    line,
                    "layering",
                    f"server/ sees engine/engine.h and engine/core/ only, got {target}",
                )
    for file in tree.code("loadtest/"):
        for line, _, target in file.includes():
            if target.startswith(("engine/", "server/", "config/")):
                yield (file.path, line, "layering", f"loadtest/ includes proto/ only, got {target}")


def check_provider_corners(tree):
    """A provider's folder is its own affair; providers.cc alone knows them all."""
    folder = re.compile(r"^engine/providers/(\w+)/")
    for file in tree.code("engine/", "server/"):
        if file.path == "engine/providers/providers.cc":
            continue
        # portable/ is the fallback behind every provider: plan/ may use it, too.
        own = folder.match(file.path)
        for line, _, target in file.includes():
            other = folder.match(target)
            if (
                other
                and other.group(1) != "portable"
                and (not own or own.group(1) != other.group(1))
                and (file.path, target) not in exceptions.INCLUDES
            ):
                yield (
                    file.path,
                    line,
                    "layering",
                    f"only providers.cc and that folder itself may include {target}",
                )


def check_corners(tree):
    for file in tree.code():
        for line, _, target in file.includes():
            for pattern, allowed, library in CORNERS:
                if (
                    pattern.search(target)
                    and not file.path.startswith(allowed)
                    and (file.path, target) not in exceptions.INCLUDES
                ):
                    yield (
                        file.path,
                        line,
                        "corner",
                        f"{library} belongs to {', '.join(allowed)}; got an include of {target}",
                    )


def check_conditions(tree):
    for file in tree.code("config/", "engine/", "server/", "loadtest/"):
        if file.path == "engine/providers/providers.cc":
            continue
        for match in CONDITIONS.finditer(file.code):
            if not ALLOWED_CONDITION.match(match.group(1).strip()):
                line = file.code.count("\n", 0, match.start(1)) + 1
                yield (
                    file.path,
                    line,
                    "feature-if",
                    f"feature conditions belong to providers.cc, got #if{match.group(1)}",
                )


def check_grpc_files(tree):
    """grpcpp costs seconds a file to compile: few files may reach it, directly or not."""
    reaching = {}

    def reaches(path):
        if path not in reaching:
            reaching[path] = False
            reaching[path] = any(
                CORNERS[0][0].search(t) or (t in tree.files and reaches(t))
                for _, _, t in tree.files[path].includes()
            )
        return reaching[path]

    files = [
        f.path
        for f in tree.code("server/", "loadtest/", "config/", "engine/")
        if f.path.endswith(".cc") and reaches(f.path)
    ]
    if len(files) > GRPC_FILES_LIMIT:
        yield (
            files[-1],
            1,
            "grpc-files",
            f"at most {GRPC_FILES_LIMIT} source files may reach grpcpp, got {len(files)}: "
            + " ".join(files),
        )


RULES = [
    check_direction,
    check_engine_face,
    check_provider_corners,
    check_corners,
    check_conditions,
    check_grpc_files,
]
