#!/usr/bin/env python3
"""Shows for each lint rule a tree that breaks it and one that keeps it."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import lint  # noqa: E402
import size  # noqa: E402
from source import Tree, blank  # noqa: E402


def rules_of(texts):
    """The names of the rules that the tree breaks."""
    return {rule for _, _, rule, _ in lint.findings(Tree(texts))}


class SourceTest(unittest.TestCase):

    def test_blanks_comments_and_strings_but_keeps_lines(self):
        code = 'int a; // throw\n/* throw\n */ const char* b = "throw \\" x"; char c = \'{\';\n'
        blanked = blank(code)
        self.assertNotIn("throw", blanked)
        self.assertNotIn("{", blanked)
        self.assertEqual(code.count("\n"), blanked.count("\n"))

    def test_blanks_raw_strings_and_keeps_digit_separators(self):
        self.assertEqual("", blank('R"(a " b { )"').strip())
        self.assertIn("1'000'000", blank("int64_t a = 1'000'000;"))

    def test_does_not_see_includes_in_comments(self):
        file = Tree({"engine/a.cc": '// #include "server/x.h"\n#include "engine/a.h"\n'}).files[
            "engine/a.cc"
        ]
        self.assertEqual([(2, '"', "engine/a.h")], file.includes())


class LayeringTest(unittest.TestCase):

    def test_refuses_an_include_against_the_order(self):
        for path, target in [
            ("engine/core/a.cc", "engine/graph/b.h"),
            ("engine/ops/a.cc", "engine/passes/b.h"),
            ("engine/onnx/a.cc", "engine/providers/b.h"),
            ("config/a.cc", "server/b.h"),
            ("engine/plan/a.cc", "engine/runtime/b.h"),
            ("server/scheduler/a.cc", "server/model/b.h"),
            ("server/rpc/a.cc", "server/http/b.h"),
        ]:
            self.assertIn("layering", rules_of({path: f'#include "{target}"\n'}), path)

    def test_accepts_includes_along_the_order(self):
        for path, target in [
            ("engine/graph/a.cc", "engine/core/b.h"),
            ("engine/runtime/a.cc", "engine/plan/b.h"),
            ("server/rpc/a.cc", "server/repository/b.h"),
            ("engine/core/a.cc", "engine/core/b.h"),
            ("engine/plan/a.cc", "config/engine_config.h"),
        ]:
            self.assertEqual(set(), rules_of({path: f'#include "{target}"\n'}), path)

    def test_server_sees_the_engine_through_its_face(self):
        face = {"engine/engine.h": '#pragma once\n#include "engine/graph/value_type.h"\n'}
        self.assertEqual(
            set(), rules_of({**face, "server/model/a.cc": '#include "engine/graph/value_type.h"\n'})
        )
        self.assertEqual(
            set(), rules_of({**face, "server/model/a.cc": '#include "engine/core/tensor.h"\n'})
        )
        self.assertIn(
            "layering", rules_of({**face, "server/model/a.cc": '#include "engine/plan/plan.h"\n'})
        )

    def test_load_generator_includes_the_protocol_only(self):
        self.assertIn("layering", rules_of({"loadtest/a.cc": '#include "engine/core/tensor.h"\n'}))
        self.assertEqual(set(), rules_of({"loadtest/a.cc": '#include "proto/inference.pb.h"\n'}))

    def test_only_providers_cc_knows_a_provider(self):
        include = '#include "engine/providers/cpu/cpu_provider.h"\n'
        self.assertIn("layering", rules_of({"engine/plan/a.cc": include}))
        self.assertIn("layering", rules_of({"engine/providers/cuda/a.cc": include}))
        self.assertEqual(set(), rules_of({"engine/providers/providers.cc": include}))
        self.assertEqual(set(), rules_of({"engine/providers/cpu/kernels/a.cc": include}))

    def test_foreign_libraries_stay_in_their_corner(self):
        for path, target in [
            ("server/scheduler/a.cc", "<grpcpp/grpcpp.h>"),
            ("engine/plan/a.cc", "<dnnl.hpp>"),
            ("server/model/a.cc", '"oneapi/dnnl/dnnl.hpp"'),
            ("engine/core/a.cc", "<cuda_runtime.h>"),
            ("engine/graph/a.cc", "<onnx/onnx_pb.h>"),
            ("server/rpc/a.cc", "<boost/beast.hpp>"),
            ("server/model/a.cc", '"proto/inference.grpc.pb.h"'),
            ("engine/ops/a.cc", '"hwy/highway.h"'),
            ("engine/core/a.cc", "<prometheus/counter.h>"),
            ("engine/ops/onnx/image_decoder.cc", "<jpeglib.h>"),
            ("engine/ops/a.cc", "<webp/decode.h>"),
            ("engine/ops/onnx/a.cc", '"re2/re2.h"'),
            ("engine/ops/onnx/a.cc", "<utf8proc.h>"),
        ]:
            self.assertIn("corner", rules_of({path: f"#include {target}\n"}), path)
        for path, target in [
            ("server/rpc/a.cc", "<grpcpp/grpcpp.h>"),
            ("engine/onnx/a.cc", "<onnx/onnx_pb.h>"),
            ("engine/providers/cpu/a.cc", "<dnnl.hpp>"),
            ("server/http/a.cc", "<boost/beast.hpp>"),
            ("engine/ops/image/a.cc", "<tiffio.h>"),
            ("tests/engine/onnx/a.cc", "<onnx/onnx_pb.h>"),
        ]:
            self.assertEqual(set(), rules_of({path: f"#include {target}\n"}), path)

    def test_feature_conditions_stay_in_providers_cc(self):
        self.assertIn("feature-if", rules_of({"engine/plan/a.cc": "#ifdef INFERD_CUDA\n#endif\n"}))
        self.assertIn(
            "feature-if",
            rules_of({"server/main.cc": "#if INFERD_X && defined(__GNUC__)\n#endif\n"}),
        )
        self.assertEqual(
            set(), rules_of({"engine/providers/providers.cc": "#ifdef INFERD_CUDA\n#endif\n"})
        )
        self.assertEqual(set(), rules_of({"engine/core/a.cc": "#if defined(__x86_64__)\n#endif\n"}))
        self.assertEqual(set(), rules_of({"engine/core/a.cc": "#if HWY_ONCE\n#endif\n"}))

    def test_few_files_reach_grpcpp(self):
        header = {"server/rpc/service.h": "#pragma once\n#include <grpcpp/grpcpp.h>\n"}
        files = {f"server/rpc/f{i}.cc": '#include "server/rpc/service.h"\n' for i in range(12)}
        self.assertEqual(set(), rules_of({**header, **files}))
        files["server/rpc/g.cc"] = '#include "server/rpc/service.h"\n'
        self.assertIn("grpc-files", rules_of({**header, **files}))


class NamingTest(unittest.TestCase):

    def test_refuses_empty_words_in_file_names(self):
        for path in [
            "engine/core/tensor_utils.cc",
            "server/helpers.h",
            "tests/support/common.cc",
            "engine/plan/memory_manager.cc",
        ]:
            self.assertIn("naming", rules_of({path: "#pragma once\n"}), path)
        self.assertEqual(
            set(), rules_of({"engine/core/database.cc": "", "engine/core/implicit.cc": ""})
        )

    def test_refuses_empty_words_in_type_names(self):
        for text in [
            "class ModelManager {};",
            "struct BufferImpl;",
            "class KernelBase final : public X {};",
            "class ABSL_LOCKABLE LockHelper {};",
            "enum class MiscKind { kA };",
        ]:
            self.assertIn("naming", rules_of({"engine/core/a.cc": text + "\n"}), text)
        for text in ["class Database {};", "struct Implicit {};", "// class ModelManager {\n"]:
            self.assertEqual(set(), rules_of({"engine/core/a.cc": text + "\n"}), text)

    def test_tests_mirror_the_source_tree(self):
        self.assertIn("mirror", rules_of({"tests/engine/core/a_test.cc": ""}))
        self.assertEqual(
            set(), rules_of({"tests/engine/core/a_test.cc": "", "engine/core/a.cc": ""})
        )
        self.assertEqual(
            set(),
            rules_of({"tests/engine/core/a_test.cc": "", "engine/core/a.h": "#pragma once\n"}),
        )


class SizeTest(unittest.TestCase):

    def test_refuses_a_long_file(self):
        self.assertEqual(set(), rules_of({"engine/core/a.cc": "int a;\n" * 500}))
        self.assertIn("file-size", rules_of({"engine/core/a.cc": "int a;\n" * 501}))

    def test_refuses_a_long_function(self):
        def function(lines):
            return (
                "namespace a {\nvoid F(int b) {\n"
                + "  G();\n" * (lines - 2)
                + "}\n}  // namespace a\n"
            )

        self.assertEqual(set(), rules_of({"engine/core/a.cc": function(70)}))
        self.assertIn("function-size", rules_of({"engine/core/a.cc": function(71)}))

    def test_refuses_a_long_python_function(self):
        self.assertIn("function-size", rules_of({"tests/a.py": "def f():\n" + "    g()\n" * 70}))

    def test_finds_functions_in_classes_and_namespaces(self):
        code = (
            "namespace n {\nclass A : public B {\n public:\n  int F() const { return 1; }\n"
            "  A(int x) : x_(x) {\n    G([&] {\n      H();\n    });\n  }\n};\n"
            "const int kTable[] = {\n  1,\n  2,\n};\nstruct S {\n  int a = 0;\n};\n}\n"
            "template <typename T>\nabsl::Status Run(T t) {\n  if (t) {\n  }\n}\n"
        )
        self.assertEqual([("F", 4, 1), ("A", 5, 5), ("Run", 19, 5)], size.functions(blank(code)))


class TextTest(unittest.TestCase):

    def test_headers_have_pragma_once(self):
        self.assertIn(
            "pragma-once", rules_of({"engine/core/a.h": "#ifndef A_H\n#define A_H\n#endif\n"})
        )
        self.assertEqual(set(), rules_of({"engine/core/a.h": "#pragma once\n"}))

    def test_own_header_first_and_blocks_sorted(self):
        header = {"engine/core/a.h": "#pragma once\n"}
        self.assertIn(
            "include-order",
            rules_of(
                {**header, "engine/core/a.cc": '#include <string>\n\n#include "engine/core/a.h"\n'}
            ),
        )
        self.assertIn(
            "include-order",
            rules_of({"engine/core/b.cc": "#include <vector>\n#include <string>\n"}),
        )
        self.assertEqual(
            set(),
            rules_of(
                {
                    **header,
                    "engine/core/a.cc": '#include "engine/core/a.h"\n\n#include <map>\n',
                }
            ),
        )

    def test_lines_have_at_most_100_columns(self):
        self.assertIn("columns", rules_of({"engine/core/a.cc": "int " + "a" * 97 + ";\n"}))
        self.assertEqual(set(), rules_of({"engine/core/a.cc": "int " + "a" * 95 + ";\n"}))

    def test_forbidden_words_of_the_house_style(self):
        for rule, path, text in [
            ("mutex", "server/a.cc", "std::mutex m;"),
            ("mutex", "server/a.cc", "absl::Mutex m;"),
            ("thread-local", "engine/a.cc", "thread_local int a;"),
            ("exceptions", "server/a.cc", "throw 1;"),
            ("sleep", "tests/a_test.cc", "absl::SleepFor(absl::Seconds(1));"),
        ]:
            self.assertIn(rule, rules_of({path: text + "\n"}), text)
            self.assertEqual(set(), rules_of({path: f"// {text}\n"}), text)

    def test_no_flags_for_this_machine_only(self):
        self.assertIn(
            "native", rules_of({"CMakeLists.txt": "add_compile_options(-march" + "=native)\n"})
        )

    def test_no_paths_of_one_machine(self):
        self.assertIn("machine-path", rules_of({"test.sh": "cd /" + "work/main\n"}))
        self.assertIn("machine-path", rules_of({"a.py": 'open("/' + 'home/me/x")\n'}))
        self.assertEqual(set(), rules_of({"a.md": "docs/work/x $HOME/home/x ./root/x\n"}))

    def test_avx3_dl_is_only_ever_disabled(self):
        include = '#include "hwy/foreach_target.h"\n'
        path = "engine/providers/cpu/a.cc"
        self.assertIn("avx3-dl", rules_of({path: "auto t = HWY_AVX3_DL;\n"}))
        self.assertIn("avx3-dl", rules_of({path: include}))
        self.assertEqual(
            set(), rules_of({path: "#define HWY_DISABLED_TARGETS HWY_AVX3_DL\n" + include})
        )
        header = {
            "engine/providers/cpu/t.h": "#pragma once\n#define HWY_DISABLED_TARGETS HWY_AVX3_DL\n"
        }
        self.assertEqual(
            set(), rules_of({**header, path: '#include "engine/providers/cpu/t.h"\n\n' + include})
        )


if __name__ == "__main__":
    unittest.main()
