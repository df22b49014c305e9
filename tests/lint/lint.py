#!/usr/bin/env python3
"""Checks the source tree against the house rules: layering, mirror, size, naming, text.

usage: lint.py [ROOT]      prints FILE:LINE: RULE: MESSAGE for each finding; exit 1 if there is any
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import layering  # noqa: E402
import naming  # noqa: E402
import size  # noqa: E402
import text_rules  # noqa: E402
from source import Tree  # noqa: E402

RULES = layering.RULES + naming.RULES + size.RULES + text_rules.RULES


def findings(tree):
    return sorted(finding for rule in RULES for finding in rule(tree))


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(here, "..", "..")
    tree = Tree.read(root)
    found = findings(tree)
    for path, line, rule, message in found:
        print(f"{path}:{line}: {rule}: {message}")
    print(f"lint: {len(tree.files)} files, {len(RULES)} checks, {len(found)} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
