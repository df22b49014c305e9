"""A tree of source files as the lint rules see it."""

import os
import re

SKIPPED_FOLDERS = {".git", "build", "__pycache__", "shared", ".cache", "node_modules", ".venv"}
TEXT_ENDINGS = (
    ".cc",
    ".h",
    ".cu",
    ".cuh",
    ".proto",
    ".py",
    ".sh",
    ".md",
    ".txt",
    ".cmake",
    ".json",
    ".yaml",
    ".yml",
    ".in",
    ".pbtxt",
    ".run",
    "Dockerfile",
    ".dockerignore",
    "/.ci/run",
)
CODE_ENDINGS = (".cc", ".h", ".cu", ".cuh")

_TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<tag>[^\s()\\]{0,16})\(.*?\)(?P=tag)"'
    r'|"(?:\\.|[^"\\\n])*"|(?<![0-9a-zA-Z_])\'(?:\\.|[^\'\\\n])+\'',
    re.DOTALL,
)
_INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.MULTILINE)


def blank(code, keep_strings=False):
    """The code with comments (and strings) replaced by spaces; line numbers stay."""

    def replace(match):
        text = match.group(0)
        if keep_strings and text[0] != "/":
            return text
        return re.sub(r"[^\n]", " ", text)

    return _TOKEN.sub(replace, code)


class SourceFile:
    """One text file. Immutable."""

    def __init__(self, path, text):
        self.path = path
        self.text = text
        self.lines = text.split("\n")
        self.is_code = path.endswith(CODE_ENDINGS)
        self.code = blank(text) if self.is_code else text

    def includes(self):
        """(line, '<' or '"', path) for each include."""
        uncommented = blank(self.text, keep_strings=True)
        return [
            (uncommented.count("\n", 0, m.start(2)) + 1, m.group(1), m.group(2))
            for m in _INCLUDE.finditer(uncommented)
        ]


class Tree:
    """Files by path relative to the root. Tests make one from a dict."""

    def __init__(self, texts):
        self.files = {path: SourceFile(path, text) for path, text in sorted(texts.items())}

    @staticmethod
    def read(root):
        texts = {}
        for folder, folders, names in os.walk(root):
            folders[:] = sorted(f for f in folders if f not in SKIPPED_FOLDERS)
            for name in names:
                full = os.path.join(folder, name)
                path = os.path.relpath(full, root).replace(os.sep, "/")
                if ("/" + path).endswith(TEXT_ENDINGS) and os.path.isfile(full):
                    with open(full, encoding="utf-8", errors="replace") as file:
                        texts[path] = file.read()
        return Tree(texts)

    def code(self, *folders):
        """C++ and CUDA files, all or those under the given folders."""
        return [
            f
            for f in self.files.values()
            if f.is_code and (not folders or f.path.startswith(folders))
        ]
