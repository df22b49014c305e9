#!/usr/bin/env python3
"""The daemon with a provider whose device has memory of its own."""

import base64
import ctypes
import os
import subprocess
import tempfile
import unittest

from e2e import models
from e2e.calls import request, tensor
from e2e.clients import np, triton
from e2e.daemon import BIN, INFERD, Daemon
from e2e.rest import triton_http

FAKE = os.path.join(BIN, "..", "lib", "libinferd_fake.so")
CUDA = os.path.join(BIN, "..", "lib", "libinferd_cuda.so")


def has_driver():
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    return True


class DeviceTest(unittest.TestCase):

    @unittest.skipUnless(os.path.exists(FAKE), "the fake device is not in this build")
    def test_a_device_answers_is_in_the_log_and_in_the_metrics(self):
        def fill(repository):
            models.save(repository, "linear", models.linear()[0])

        x = np.arange(24, dtype=np.float32).reshape(3, 8)
        call = request("linear", [tensor("x", "FP32", [3, 8])], [x.tobytes()])
        answers = []
        for provider in ("fake", "portable"):
            with Daemon(fill, "--provider", provider) as daemon:
                stub = daemon.stub()
                raws = [stub.ModelInfer(call).raw_output_contents[0] for _ in range(4)]
                answers.append(np.frombuffer(raws[0], np.float32))
                self.assertEqual(raws[1:], raws[:1] * 3)
                if provider == "fake":
                    daemon.wait_for_log("device of provider fake: fake")
                    self.assertIn('fake_allocated_bytes{device="fake:0"}', daemon.metrics())
        np.testing.assert_allclose(answers[0], answers[1], rtol=1e-5)

    @unittest.skipUnless(os.path.exists(FAKE), "the fake device is not in this build")
    def test_a_model_is_on_every_device_or_on_those_of_its_instance_group(self):
        def fill(repository):
            models.save(repository, "all", models.linear()[0])
            config = "instance_group { kind: KIND_GPU gpus: 1 }"
            models.save(repository, "second", models.linear()[0], config=config)

        x = np.arange(24, dtype=np.float32).reshape(3, 8)
        os.environ["INFERD_FAKE_DEVICES"] = "2"
        try:
            with Daemon(fill, "--provider", "fake") as daemon:
                stub = daemon.stub()
                answers = []
                for name in ("all", "all", "second"):
                    call = request(name, [tensor("x", "FP32", [3, 8])], [x.tobytes()])
                    answers.append(stub.ModelInfer(call).raw_output_contents[0])
                self.assertEqual(answers[1:], answers[:1] * 2)
                daemon.wait_for_log("device of provider fake:1: fake")
                for device in ("fake:0", "fake:1"):
                    self.assertIn(f'fake_allocated_bytes{{device="{device}"}}', daemon.metrics())
                with triton.InferenceServerClient(daemon.grpc) as client:
                    group = client.get_model_config("all").config.instance_group[0]
                    self.assertEqual((group.kind, list(group.gpus)), (group.KIND_GPU, [0, 1]))
        finally:
            del os.environ["INFERD_FAKE_DEVICES"]

    @unittest.skipUnless(os.path.exists(FAKE), "the fake device is not in this build")
    def test_clients_share_memory_of_a_device(self):
        def fill(repository):
            models.save(repository, "linear", models.linear()[0])

        x = np.arange(24, dtype=np.float32).reshape(3, 8)
        with Daemon(fill, "--provider", "fake", "--shared-memory") as daemon:
            rest = triton_http.InferenceServerClient(daemon.addresses["http"])
            with triton.InferenceServerClient(daemon.grpc) as client:
                self.assertIn("cuda_shared_memory", client.get_server_metadata().extensions)
                # The fake device's memory, which is there for whoever knows its handle.
                handle = base64.b64encode(b"fake memory")
                client.register_cuda_shared_memory("a", handle, 0, 4096)
                rest.register_cuda_shared_memory("b", handle.decode(), 0, 1024)
                shown = rest.get_cuda_shared_memory_status()
                self.assertEqual(
                    sorted((r["name"], r["device_id"], r["byte_size"]) for r in shown),
                    [("a", 0, 4096), ("b", 0, 1024)],
                )
                given = triton.InferInput("x", [3, 8], "FP32")
                given.set_data_from_numpy(x)
                name = client.get_model_metadata("linear").outputs[0].name
                expected = client.infer("linear", [given]).as_numpy(name)
                wanted = triton.InferRequestedOutput(name)
                wanted.set_shared_memory("a", expected.nbytes, offset=1024)
                client.infer("linear", [given], outputs=[wanted])
                # What was written there is the first rows of another input.
                again = np.zeros(24, np.float32)
                again[: expected.size] = expected.ravel()[:24]
                read = triton.InferInput("x", [3, 8], "FP32")
                read.set_shared_memory("a", 96, offset=1024)
                given.set_data_from_numpy(again.reshape(3, 8))
                np.testing.assert_array_equal(
                    client.infer("linear", [read]).as_numpy(name),
                    client.infer("linear", [given]).as_numpy(name),
                )
                with self.assertRaisesRegex(triton.InferenceServerException, "device 7: there are"):
                    client.register_cuda_shared_memory("c", handle, 7, 4096)
                with self.assertRaisesRegex(triton.InferenceServerException, "as base64"):
                    rest.register_cuda_shared_memory("c", "%", 0, 64)
                client.unregister_system_shared_memory()
                client.unregister_cuda_shared_memory("a")
                rest.unregister_cuda_shared_memory()
                self.assertEqual(len(client.get_cuda_shared_memory_status().regions), 0)

    @unittest.skipUnless(os.path.exists(CUDA), "the CUDA provider is not in this build")
    @unittest.skipIf(has_driver(), "there may be a GPU")
    def test_cuda_without_a_driver_is_an_error_that_says_so(self):
        with tempfile.TemporaryDirectory(prefix="inferd-test-") as folder:
            ended = subprocess.run(
                [INFERD, "serve", "--model-repository", folder, "--provider", "cuda"],
                capture_output=True,
                text=True,
                timeout=60,
            )
        self.assertEqual(ended.returncode, 2)
        self.assertIn("provider 'cuda': no NVIDIA driver", ended.stderr)


if __name__ == "__main__":
    unittest.main()
