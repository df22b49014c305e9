"""Rules about single lines: headers, include order, flags, paths, words of the house style."""

import re

import exceptions

LINE_COLUMNS = 100
PRODUCT = ("config/", "engine/", "server/", "loadtest/")

# rule, folders or None for all files, pattern over blanked code, what to do instead.
FORBIDDEN_CODE = [
    (
        "mutex",
        ("config/", "engine/", "server/"),
        re.compile(r"\bstd::(?:recursive_|shared_|timed_)?mutex\b|\babsl::Mutex\b"),
        "locks are engine/core/mutex.h",
    ),
    ("thread-local", PRODUCT, re.compile(r"\bthread_local\b"), "no thread-local state"),
    ("exceptions", PRODUCT, re.compile(r"\bthrow\b"), "fallible functions return absl::Status"),
    (
        "sleep",
        ("tests/",),
        re.compile(r"\bsleep_for\b|\bsleep_until\b|\bSleepFor\b|\busleep\b"),
        "tests do not sleep; use a fake clock or wait for the event",
    ),
]
# These look at the whole text, flags and paths being in strings and scripts.
NATIVE = re.compile(r"-m(?:arch|tune)=native|-mcpu=native")
MACHINE_PATH = re.compile(r"(?<![\w./$}-])/(?:work|root|home|farm|Users)/")
AVX3_DL = re.compile(r"\bHWY_AVX3_DL\b")


def _line(text, at):
    return text.count("\n", 0, at) + 1


def _excepted(path, rule):
    return (path, rule) in exceptions.TEXT


def check_headers(tree):
    for file in tree.code():
        # A -inl.h header is included once per Highway target and guards itself.
        if file.path.endswith((".h", ".cuh")) and not file.path.endswith("-inl.h"):
            if file.code.count("#pragma once") != 1 and not _excepted(file.path, "pragma-once"):
                yield file.path, 1, "pragma-once", "a header has one #pragma once"


def check_include_order(tree):
    """A .cc file includes its own header first; each block is sorted, <...> before "..."."""
    for file in tree.code():
        includes = file.includes()
        own = re.sub(r"\.(cc|cu)$", ".h", file.path)
        if (
            own != file.path
            and own in tree.files
            and includes
            and not _excepted(file.path, "include-order")
        ):
            if includes[0][2] != own:
                yield (
                    file.path,
                    includes[0][0],
                    "include-order",
                    f"the file's own header {own} comes first, got {includes[0][2]}",
                )
        for before, after in zip(includes, includes[1:]):
            adjacent = after[0] == before[0] + 1 and before[2] != "hwy/foreach_target.h"
            if (
                adjacent
                and before[1] == after[1]
                and before[2] > after[2]
                and before[2] != own
                and not _excepted(file.path, "include-order")
            ):
                yield (
                    file.path,
                    after[0],
                    "include-order",
                    f"includes of a block are sorted: {after[2]} after {before[2]}",
                )


def check_line_length(tree):
    for file in tree.code():
        for number, line in enumerate(file.lines, 1):
            if (
                len(line) > LINE_COLUMNS
                and "http" not in line
                and not _excepted(file.path, "columns")
            ):
                yield file.path, number, "columns", f"at most {LINE_COLUMNS}, got {len(line)}"


def check_forbidden_code(tree):
    for rule, folders, pattern, advice in FORBIDDEN_CODE:
        for file in tree.code(*folders):
            for match in pattern.finditer(file.code):
                if not _excepted(file.path, rule):
                    yield file.path, _line(
                        file.code, match.start()
                    ), rule, f"{advice}, got {match.group(0)}"


def check_flags_and_paths(tree):
    for file in tree.files.values():
        if file.path.startswith("tests/lint/"):
            continue
        for match in NATIVE.finditer(file.text):
            if not file.path.endswith(".md"):
                yield (
                    file.path,
                    _line(file.text, match.start()),
                    "native",
                    f"{match.group(0)} makes binaries that fault elsewhere",
                )
        for match in MACHINE_PATH.finditer(file.text):
            if not _excepted(file.path, "machine-path"):
                yield (
                    file.path,
                    _line(file.text, match.start()),
                    "machine-path",
                    f"a path of one machine: {match.group(0)}...",
                )


def check_highway_targets(tree):
    """Highway's AVX3_DL target faults on processors that serve as AVX3: it stays disabled."""
    disabling = {
        path
        for path, file in tree.files.items()
        if any("HWY_DISABLED_TARGETS" in line and AVX3_DL.search(line) for line in file.lines)
    }
    everywhere = any(path.endswith("CMakeLists.txt") for path in disabling)
    for file in tree.files.values():
        if file.path.startswith("tests/lint/") or file.path.endswith(".md"):
            continue
        for number, line in enumerate(file.lines, 1):
            if AVX3_DL.search(line) and "DISABLED" not in line:
                yield file.path, number, "avx3-dl", "HWY_AVX3_DL may only be disabled"
        if not file.is_code or everywhere or file.path in disabling:
            continue
        disabled = False
        for number, _, target in file.includes():
            disabled = disabled or target in disabling
            if target.startswith("hwy/") and not disabled and not file.path.endswith("-inl.h"):
                yield (
                    file.path,
                    number,
                    "avx3-dl",
                    "define HWY_DISABLED_TARGETS with HWY_AVX3_DL before this include",
                )


RULES = [
    check_headers,
    check_include_order,
    check_line_length,
    check_forbidden_code,
    check_flags_and_paths,
    check_highway_targets,
]
