#!/usr/bin/env python3
"""Tensors in system shared memory: with the real client's calls, in time and at the limits."""

import os
import queue
import struct
import threading
import unittest

import tritonclient.utils.shared_memory as shm

from e2e import models
from e2e.calls import identity_request, pack_bytes, request, status_of, tensor
from e2e.clients import grpc, messages, np, triton
from e2e.daemon import Daemon

ROW_BYTES = 64  # of the identity model's 16 floats
LIMITS = ["--max-shared-memory-regions", "5", "--max-shared-memory-bytes", "1048576"]


def fill(repository):
    models.save(repository, "identity", models.identity())
    models.save(repository, "text", models.identity(models.TensorProto.STRING, 2))


class Region:
    """An object of the client's, registered; use with `with`."""

    def __init__(self, client, name, size=4096):
        self.client, self.name, self.size = client, name, size
        self.key = f"/e2e-{os.getpid()}-{name}"

    def __enter__(self):
        self.handle = shm.create_shared_memory_region(self.name, self.key, self.size)
        try:
            self.client.register_system_shared_memory(self.name, self.key, self.size)
        except triton.InferenceServerException:
            shm.destroy_shared_memory_region(self.handle)
            raise
        return self

    def __exit__(self, kind, error, traceback):
        self.client.unregister_system_shared_memory(self.name)
        shm.destroy_shared_memory_region(self.handle)

    def fill(self, array, offset=0):
        shm.set_shared_memory_region(self.handle, [array], offset)

    def floats(self, shape, offset=0):
        return np.array(shm.get_contents_as_numpy(self.handle, np.float32, shape, offset))

    def truncate(self, size):
        os.truncate(f"/dev/shm{self.key}", size)


def shared_input(region, rows=1, offset=0, size=None):
    value = triton.InferInput("x", [rows, 16], "FP32")
    value.set_shared_memory(region.name, rows * ROW_BYTES if size is None else size, offset)
    return value


def shared_output(region, size=ROW_BYTES, offset=0):
    output = triton.InferRequestedOutput("y")
    output.set_shared_memory(region.name, size, offset)
    return output


class SharedMemoryTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Daemon(fill, "--shared-memory", *LIMITS))
        cls.client = cls.daemon.client()
        cls.stub = cls.daemon.stub()

    def setUp(self):
        self.row = np.random.default_rng(7).standard_normal((1, 16)).astype(np.float32)

    def refused(self, code, pattern, *arguments, **keywords):
        with self.assertRaisesRegex(triton.InferenceServerException, pattern) as caught:
            self.client.infer(*arguments, **keywords)
        self.assertEqual(caught.exception.status(), f"StatusCode.{code}")

    def test_metadata_lists_it(self):
        extensions = self.client.get_server_metadata().extensions
        self.assertIn("system_shared_memory", extensions)
        self.assertNotIn("cuda_shared_memory", extensions)

    def test_status_shows_what_is_registered_until_it_is_unregistered(self):
        with Region(self.client, "shown", 256):
            status = self.client.get_system_shared_memory_status("shown").regions["shown"]
            self.assertEqual((status.offset, status.byte_size), (0, 256))
            self.assertEqual(self.daemon.metrics()["inferd_shared_memory_bytes"], 256)
        self.assertEqual(len(self.client.get_system_shared_memory_status().regions), 0)
        with self.assertRaisesRegex(triton.InferenceServerException, "'shown' is not registered"):
            self.client.get_system_shared_memory_status("shown")

    def test_input_and_output_in_one_region(self):
        with Region(self.client, "both") as region:
            region.fill(self.row)
            answer = self.client.infer(
                "identity", [shared_input(region)], outputs=[shared_output(region, offset=128)]
            )
            output = answer.get_output("y")
            self.assertEqual(output.parameters["shared_memory_region"].string_param, "both")
            self.assertEqual(output.parameters["shared_memory_byte_size"].int64_param, ROW_BYTES)
            self.assertEqual(output.parameters["shared_memory_offset"].int64_param, 128)
            np.testing.assert_array_equal(region.floats([1, 16], 128), self.row)

    def test_input_in_shared_memory_output_in_the_message_and_the_reverse(self):
        with Region(self.client, "one") as region:
            region.fill(self.row, 64)
            answer = self.client.infer("identity", [shared_input(region, offset=64)])
            np.testing.assert_array_equal(answer.as_numpy("y"), self.row)
            value = triton.InferInput("x", [1, 16], "FP32")
            value.set_data_from_numpy(self.row)
            self.client.infer("identity", [value], outputs=[shared_output(region, offset=512)])
            np.testing.assert_array_equal(region.floats([1, 16], 512), self.row)

    def test_batches_come_apart_again(self):
        with Region(self.client, "many", 1 << 16) as region:
            rows = np.arange(64 * 16, dtype=np.float32).reshape(64, 16)
            region.fill(rows)
            errors = queue.SimpleQueue()
            for i in range(64):
                self.client.async_infer(
                    "identity",
                    [shared_input(region, offset=i * ROW_BYTES)],
                    callback=lambda result, error: errors.put(error),
                    outputs=[shared_output(region, offset=8192 + i * ROW_BYTES)],
                )
            self.assertEqual([errors.get(timeout=30) for _ in range(64)], [None] * 64)
            np.testing.assert_array_equal(region.floats([64, 16], 8192), rows)

    def test_streams_use_it_too(self):
        with Region(self.client, "stream") as region:
            region.fill(self.row)
            message = request("identity", [tensor("x", "FP32", [1, 16])], outputs=["y"], id="s")
            for place, offset in ((message.inputs[0], 0), (message.outputs[0], 256)):
                place.parameters["shared_memory_region"].string_param = "stream"
                place.parameters["shared_memory_byte_size"].int64_param = ROW_BYTES
                place.parameters["shared_memory_offset"].int64_param = offset
            wrong = messages.ModelInferRequest()
            wrong.CopyFrom(message)
            wrong.inputs[0].parameters["shared_memory_offset"].int64_param = 4095
            replies = list(self.stub.ModelStreamInfer(iter([message, wrong, message]), timeout=30))
            self.assertEqual([bool(r.error_message) for r in replies], [False, True, False])
            self.assertIn("has 4096 bytes, got offset 4095", replies[1].error_message)
            np.testing.assert_array_equal(region.floats([1, 16], 256), self.row)

    def test_bytes_elements(self):
        with Region(self.client, "bytes") as region:
            raw = pack_bytes(b"one", b"")
            region.fill(np.frombuffer(raw, np.uint8))
            value = triton.InferInput("x", [1, 2], "BYTES")
            value.set_shared_memory("bytes", len(raw))
            output = triton.InferRequestedOutput("y")
            output.set_shared_memory("bytes", 100, 1000)
            self.client.infer("text", [value], outputs=[output])
            text = shm.get_contents_as_numpy(region.handle, np.object_, [2], 1000)
            self.assertEqual(list(text), [b"one", b""])
            region.fill(np.frombuffer(struct.pack("<I", 1 << 30), np.uint8))
            self.refused("INVALID_ARGUMENT", "element 0 has length 1073741824", "text", [value])

    def test_ranges_outside_the_region_are_refused(self):
        with Region(self.client, "small", 4096) as region:
            for offset, size in [(4096, 64), (4033, 64), (2**63 - 1, 64)]:
                value = shared_input(region, offset=offset, size=size)
                self.refused("INVALID_ARGUMENT", "has 4096 bytes, got offset", "identity", [value])
            self.refused(
                "INVALID_ARGUMENT",
                "expected 64 bytes for FP32.1,16., got 60",
                "identity",
                [shared_input(region, size=60)],
            )
            self.refused(
                "INVALID_ARGUMENT",
                "it has 64 bytes, the request gives 63 bytes of shared memory",
                "identity",
                [shared_input(region)],
                outputs=[shared_output(region, size=63)],
            )

    def test_an_object_that_shrinks_fails_its_requests_only(self):
        with Region(self.client, "shrinks", 65536) as region:
            region.fill(self.row)
            region.truncate(0)
            for _ in range(3):
                self.refused(
                    "INVALID_ARGUMENT", "has 0 bytes", "identity", [shared_input(region)]
                )
            value = triton.InferInput("x", [1, 16], "FP32")
            value.set_data_from_numpy(self.row)
            self.refused(
                "INVALID_ARGUMENT",
                "has 0 bytes",
                "identity",
                [value],
                outputs=[shared_output(region)],
            )
            region.truncate(65536)
            self.stub.ModelInfer(identity_request())
            region.fill(self.row)
            answer = self.client.infer("identity", [shared_input(region)])
            np.testing.assert_array_equal(answer.as_numpy("y"), self.row)

    def test_an_object_that_shrinks_and_grows_meanwhile_ends_nothing(self):
        with Region(self.client, "race", 65536) as region:
            stop = threading.Event()

            def resize():
                while not stop.is_set():
                    region.truncate(0)
                    region.truncate(65536)

            resizer = threading.Thread(target=resize)
            resizer.start()
            codes = set()
            try:
                for i in range(400):
                    value = shared_input(region, rows=32, offset=(i % 16) * 2048)
                    output = shared_output(region, size=2048, offset=32768 + (i % 16) * 2048)
                    try:
                        self.client.infer("identity", [value], outputs=[output])
                        codes.add("OK")
                    except triton.InferenceServerException as error:
                        codes.add(error.status())
            finally:
                stop.set()
                resizer.join()
            self.assertLessEqual(codes, {"OK", "StatusCode.INVALID_ARGUMENT"})
            self.assertIsNone(self.daemon.process.poll())

    def test_bad_registrations_are_refused(self):
        with Region(self.client, "there", 4096) as region:
            for code, arguments in [
                ("ALREADY_EXISTS", ("there", region.key, 64)),
                ("INVALID_ARGUMENT", ("more", region.key, 4097)),
                ("INVALID_ARGUMENT", ("more", region.key, 4096, 1)),
                ("INVALID_ARGUMENT", ("more", region.key, 2**64 - 1, 2**64 - 1)),
                ("INVALID_ARGUMENT", ("more", region.key, 0)),
                ("INVALID_ARGUMENT", ("more", "/../etc/passwd", 64)),
                ("INVALID_ARGUMENT", ("more", "/inferd.own", 64)),
                ("NOT_FOUND", ("more", "/nobody-made-this", 64)),
            ]:
                with self.assertRaises(triton.InferenceServerException, msg=arguments) as caught:
                    self.client.register_system_shared_memory(*arguments)
                self.assertEqual(caught.exception.status(), f"StatusCode.{code}", arguments)
            self.assertEqual(len(self.client.get_system_shared_memory_status().regions), 1)

    def test_regions_and_bytes_are_limited(self):
        with Region(self.client, "base") as region:
            for i in range(4):
                self.client.register_system_shared_memory(f"n{i}", region.key, 64)
            with self.assertRaisesRegex(triton.InferenceServerException, "5 are registered"):
                self.client.register_system_shared_memory("n5", region.key, 64)
            self.client.unregister_system_shared_memory()
            self.assertEqual(len(self.client.get_system_shared_memory_status().regions), 0)
        with self.assertRaisesRegex(triton.InferenceServerException, "of at most 1048576"):
            with Region(self.client, "large", 1 << 21):
                pass

    def test_memory_of_a_gpu_needs_one(self):
        self.assertEqual(len(self.client.get_cuda_shared_memory_status().regions), 0)
        self.client.unregister_cuda_shared_memory()
        code, details = status_of(
            self.stub.CudaSharedMemoryRegister,
            messages.CudaSharedMemoryRegisterRequest(name="c", byte_size=1),
        )
        self.assertEqual(code, grpc.StatusCode.UNIMPLEMENTED)
        self.assertIn("the server runs without a device", details)


class SharedMemoryOffTest(unittest.TestCase):

    def test_it_is_off_unless_asked_for(self):
        with Daemon(fill) as daemon:
            stub = daemon.stub()
            message = identity_request()
            message.inputs[0].parameters["shared_memory_region"].string_param = "r"
            for call, asked in [
                (stub.SystemSharedMemoryStatus, messages.SystemSharedMemoryStatusRequest()),
                (stub.SystemSharedMemoryRegister, messages.SystemSharedMemoryRegisterRequest()),
                (stub.SystemSharedMemoryUnregister, messages.SystemSharedMemoryUnregisterRequest()),
            ]:
                code, details = status_of(call, asked)
                self.assertEqual(code, grpc.StatusCode.UNIMPLEMENTED)
                self.assertIn("--shared-memory", details)
            del message.raw_input_contents[:]
            self.assertEqual(status_of(stub.ModelInfer, message)[0], grpc.StatusCode.UNIMPLEMENTED)
            self.assertNotIn(
                "system_shared_memory", daemon.client().get_server_metadata().extensions
            )


if __name__ == "__main__":
    unittest.main()
