"""Names that say something, and tests where their source file is."""

import os
import re

import exceptions

EMPTY_WORDS = {
    "util",
    "utils",
    "helper",
    "helpers",
    "common",
    "manager",
    "managers",
    "impl",
    "misc",
    "base",
}
_TYPE_NAME = re.compile(
    r"\b(?:class|struct|enum(?:\s+class|\s+struct)?|union)\s+"
    r"(?:ABSL_\w+(?:\([^)]*\))?\s+|\[\[\w+\]\]\s+)*([A-Z]\w*)\s*(?:final\s*)?[{:;]"
)
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+")
SOURCE_FOLDERS = ("config/", "engine/", "server/", "loadtest/", "tests/", "proto/")


def words(name):
    return [w.lower() for part in name.split("_") for w in _WORDS.findall(part)]


def check_file_names(tree):
    for path in tree.files:
        if not path.startswith(SOURCE_FOLDERS):
            continue
        stem = os.path.basename(path).split(".")[0]
        bad = EMPTY_WORDS.intersection(words(stem))
        if bad:
            yield path, 1, "naming", f"'{bad.pop()}' in a file name says nothing"


def check_type_names(tree):
    for file in tree.code():
        for match in _TYPE_NAME.finditer(file.code):
            bad = EMPTY_WORDS.intersection(words(match.group(1)))
            if bad:
                line = file.code.count("\n", 0, match.start(1)) + 1
                yield file.path, line, "naming", f"'{bad.pop()}' in {match.group(1)} says nothing"


def check_mirror(tree):
    """tests/a/b/x_test.cc tests a/b/x.cc (or .h, .cu, .proto)."""
    for path in tree.files:
        match = re.match(
            r"^tests/((?:config|engine|server|loadtest|proto)/.*)_test\.(cc|cu)$", path
        )
        if not match or path in exceptions.UNMIRRORED_TESTS:
            continue
        source = match.group(1)
        if not any(source + ending in tree.files for ending in (".cc", ".h", ".cu", ".proto")):
            yield path, 1, "mirror", f"no {source}.cc or .h for this test"


RULES = [check_file_names, check_type_names, check_mirror]
