"""Every exception from a lint rule, with its reason. Keep it short."""

# Functions longer than the limit: "file:function" -> why it reads better in one piece.
LONG_FUNCTIONS = {}

# Files longer than the limit -> why.
LONG_FILES = {}

# Includes against the order of dependencies: (file, included) -> why.
INCLUDES = {
    ("server/commands/daemon.cc", "prometheus/gauge.h"): "it sets the process gauges it wires up",
}

# Tests that mirror no single source file -> what they test.
UNMIRRORED_TESTS = {}

# Lines that a text rule may not judge: (file, rule) -> why.
TEXT = {
    ("engine/core/mutex.h", "mutex"): "the lock type itself",
    (
        "server/metrics/catalogue.h",
        "columns",
    ): "one line a metric, so that the list can be read as one",
}
