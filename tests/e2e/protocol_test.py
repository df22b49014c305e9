#!/usr/bin/env python3
"""Server and model metadata, configuration, statistics and the repository index."""

import unittest

from e2e import models
from e2e.calls import identity_request, status_of
from e2e.clients import grpc, messages, np, triton
from e2e.daemon import Daemon


def fill(repository):
    models.save(repository, "identity", models.identity())
    models.save(repository, "arithmetic", models.sum_and_difference())
    models.save(repository, "gather", models.gather())
    models.save(repository, "broken", b"not an onnx file")
    models.save(repository, "two", models.identity(), "1")
    models.save(repository, "two", models.identity(), "2", "version_policy { all {} }\n")


class ProtocolTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Daemon(fill))
        cls.client = cls.daemon.client()
        cls.stub = cls.daemon.stub()

    def test_server_is_live_and_ready_though_a_model_failed(self):
        self.assertTrue(self.client.is_server_live())
        self.assertTrue(self.client.is_server_ready())
        self.assertTrue(self.client.is_model_ready("identity"))
        self.assertTrue(self.client.is_model_ready("identity", "1"))
        self.assertFalse(self.client.is_model_ready("broken"))

    def test_server_metadata_lists_what_works(self):
        metadata = self.client.get_server_metadata()
        self.assertEqual(metadata.name, "inferd")
        self.assertTrue(metadata.version)
        self.assertIn("statistics", metadata.extensions)

    def test_model_metadata_has_names_types_and_open_dimensions(self):
        metadata = self.client.get_model_metadata("arithmetic")
        self.assertEqual((metadata.name, list(metadata.versions)), ("arithmetic", ["1"]))
        self.assertEqual(
            [(t.name, t.datatype, list(t.shape)) for t in metadata.inputs],
            [("a", "INT32", [-1, 4]), ("b", "INT32", [-1, 4])],
        )
        self.assertEqual(
            [(t.name, list(t.shape)) for t in metadata.outputs],
            [("sum", [-1, 4]), ("difference", [-1, 4])],
        )
        self.assertEqual(list(self.client.get_model_metadata("two").versions), ["1", "2"])

    def test_derived_config_says_how_requests_are_batched(self):
        config = self.client.get_model_config("identity").config
        self.assertEqual(config.name, "identity")
        self.assertEqual(config.max_batch_size, 32)
        self.assertEqual([(i.name, list(i.dims)) for i in config.input], [("x", [16])])
        self.assertEqual([(o.name, list(o.dims)) for o in config.output], [("y", [16])])

    def test_statistics_grow_with_requests(self):
        def statistics():
            return self.client.get_inference_statistics("identity").model_stats[0]

        before = statistics()
        for rows in (1, 1, 5):
            self.stub.ModelInfer(identity_request(rows))
        after = statistics()
        self.assertEqual(after.version, "1")
        self.assertEqual(after.inference_count - before.inference_count, 7)
        self.assertEqual(after.execution_count - before.execution_count, 3)
        for name in ("success", "queue", "compute_input", "compute_infer", "compute_output"):
            new, old = getattr(after.inference_stats, name), getattr(before.inference_stats, name)
            self.assertEqual(new.count - old.count, 3, name)
            self.assertGreaterEqual(new.ns, old.ns, name)
        self.assertGreater(after.inference_stats.success.ns, before.inference_stats.success.ns)
        self.assertIn(5, [b.batch_size for b in after.batch_stats])
        self.assertGreater(after.last_inference, 1_600_000_000_000)

    def test_statistics_of_all_models_come_without_a_name(self):
        names = {s.name for s in self.client.get_inference_statistics().model_stats}
        self.assertLessEqual({"identity", "arithmetic", "gather", "two"}, names)

    def test_index_shows_states_and_reasons(self):
        index = {
            (m.name, m.version): (m.state, m.reason)
            for m in self.client.get_model_repository_index().models
        }
        self.assertEqual(index[("identity", "1")][0], "READY")
        self.assertEqual({v for n, v in index if n == "two"}, {"1", "2"})
        state, reason = next(entry for (name, _), entry in index.items() if name == "broken")
        self.assertEqual(state, "UNAVAILABLE")
        self.assertTrue(reason)

    def test_index_can_be_limited_to_ready_models(self):
        answer = self.stub.RepositoryIndex(messages.RepositoryIndexRequest(ready=True))
        self.assertNotIn("broken", {m.name for m in answer.models})
        self.assertIn("identity", {m.name for m in answer.models})

    def test_unknown_names_are_not_found(self):
        for call, message in [
            (self.stub.ModelMetadata, messages.ModelMetadataRequest(name="nobody")),
            (self.stub.ModelConfig, messages.ModelConfigRequest(name="nobody")),
            (self.stub.ModelStatistics, messages.ModelStatisticsRequest(name="nobody")),
            (self.stub.ModelMetadata, messages.ModelMetadataRequest(name="identity", version="9")),
        ]:
            code, details = status_of(call, message)
            self.assertEqual(code, grpc.StatusCode.NOT_FOUND)
            self.assertRegex(details, "nobody|identity")

    def test_the_plain_python_client_works(self):
        value = triton.InferInput("indices", [2], "INT64")
        value.set_data_from_numpy(np.array([9, 0], np.int64))
        rows = self.client.infer("gather", [value]).as_numpy("rows")
        np.testing.assert_array_equal(rows, [[36, 37, 38, 39], [0, 1, 2, 3]])


if __name__ == "__main__":
    unittest.main()
