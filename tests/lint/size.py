"""Files of at most 500 lines, functions of at most 70."""

import ast
import re

import exceptions

FILE_LINES = 500
FUNCTION_LINES = 70

_TYPE = re.compile(r"\b(class|struct|union|enum)\b")
_NAMESPACE = re.compile(r"\b(namespace|extern)\b")
_ACCESS = re.compile(r"\b(public|protected|private)\s*:(?!:)")
_NAME = re.compile(r"([~\w:]+|operator[^\s(]*)\s*\(")


def _scope_kind(head):
    """What an opening brace opens, from the text before it at namespace or class level."""
    text = head.strip()
    before_call = text.split("(")[0]
    if _NAMESPACE.search(before_call):
        return "namespace"
    if text.endswith("=") or ")" not in text:
        return "type" if _TYPE.search(text) else "other"
    if _TYPE.search(before_call) and not re.search(
        r"\)\s*(const|noexcept|override|->.*|:.*)?\s*$", text
    ):
        return "type"
    return "function"


def functions(code):
    """(name, first line, number of lines) of each function in blanked code."""
    code = re.sub(
        r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*",
        lambda m: re.sub(r"[^\n]", " ", m.group(0)),
        code,
        flags=re.MULTILINE,
    )
    found, stack, head_start, inside = [], [], 0, 0
    for match in re.finditer(r"[{};]", code):
        at, char = match.start(), match.group(0)
        if char == "{":
            if inside:
                stack.append("nested")
                continue
            head = _ACCESS.sub(lambda m: re.sub(r"[^\n]", " ", m.group(0)), code[head_start:at])
            kind = _scope_kind(head)
            first = head_start + len(head) - len(head.lstrip())
            stack.append((kind, head, first))
            inside = 1 if kind in ("function", "other") else 0
        elif char == "}" and stack:
            top = stack.pop()
            if top != "nested":
                inside = 0
                if top[0] == "function":
                    names = _NAME.findall(top[1])
                    line = code.count("\n", 0, top[2]) + 1
                    found.append(
                        (names[0] if names else "?", line, code.count("\n", top[2], at) + 1)
                    )
        if not inside:
            head_start = at + 1
    return found


def check_files(tree):
    for file in tree.files.values():
        lines = len(file.lines) - (1 if file.text.endswith("\n") else 0)
        if (
            (file.is_code or file.path.endswith((".py", ".sh", ".proto")))
            and lines > FILE_LINES
            and file.path not in exceptions.LONG_FILES
        ):
            yield file.path, FILE_LINES, "file-size", f"at most {FILE_LINES} lines, got {lines}"


def _python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node.lineno, node.end_lineno - node.lineno + 1


def check_functions(tree):
    for file in tree.files.values():
        if file.is_code:
            found = functions(file.code)
        elif file.path.endswith(".py"):
            found = _python_functions(file.text)
        else:
            continue
        for name, line, lines in found:
            if lines > FUNCTION_LINES and f"{file.path}:{name}" not in exceptions.LONG_FUNCTIONS:
                yield (
                    file.path,
                    line,
                    "function-size",
                    f"{name} has {lines} lines, at most {FUNCTION_LINES}",
                )


RULES = [check_files, check_functions]
