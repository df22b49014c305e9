#!/usr/bin/env python3
"""The attention family of com.microsoft against ONNX Runtime, over their options."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from conformance.oracle import Case, check  # noqa: E402
from e2e.clients import np  # noqa: E402

RNG = np.random.default_rng(7)
BATCH, ROWS, HEADS, SIZE, PAST = 2, 5, 4, 16, 3
HIDDEN = HEADS * SIZE
TOTAL = PAST + ROWS


def floats(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


def ints(values):
    return np.array(values, np.int32)


def visible(*shape):
    """A raw mask that shows at least the first key."""
    mask = RNG.integers(0, 2, shape).astype(np.int32)
    mask[..., 0] = 1
    return mask


def rotary_caches(rows=16, columns=SIZE // 2):
    angles = RNG.uniform(-3, 3, (rows, columns)).astype(np.float32)
    return np.cos(angles), np.sin(angles)


def masks(total):
    """Every form of key mask that ONNX Runtime's CPU kernels take, by name."""
    return {
        "none": None,
        "ends": ints([total, total - 2]),
        "ends_and_starts": ints([total, total - 1, 0, 2]),
        "keys": visible(BATCH, total),
        "queries": visible(BATCH, ROWS, total),
    }


def attention_cases():
    x, weights = floats(BATCH, ROWS, 12), floats(12, 3 * HIDDEN)
    bias = floats(3 * HIDDEN)
    past = floats(2, BATCH, HEADS, PAST, SIZE)
    for causal in (0, 1):
        attributes = {"num_heads": HEADS, "unidirectional": causal}
        for form, mask in masks(ROWS).items():
            name = f"attention_{form}_causal{causal}"
            yield Case(name, "Attention", [x, weights, bias, mask], 1, attributes)
        for form, mask in masks(TOTAL).items():
            name = f"attention_past_{form}_causal{causal}"
            yield Case(name, "Attention", [x, weights, bias, mask, past], 2, attributes)
    plain = {"num_heads": HEADS}
    yield Case("attention_without_bias", "Attention", [x, weights, None], 1, plain)
    yield Case("attention_present", "Attention", [x, weights, bias], 2, plain)
    scaled = {**plain, "scale": 0.3, "mask_filter_value": -5.0}
    yield Case(
        "attention_scaled", "Attention", [x, weights, bias, visible(BATCH, ROWS)], 1, scaled
    )
    for batch, heads in ((BATCH, HEADS), (1, HEADS), (BATCH, 1), (1, 1)):
        added = floats(batch, heads, ROWS, ROWS)
        inputs = [x, weights, bias, None, None, added]
        yield Case(f"attention_added_{batch}_{heads}", "Attention", inputs, 1, plain)
    sizes = {**plain, "qkv_hidden_sizes": [16, 16, 24]}
    inputs = [x, floats(12, 56), floats(56), visible(BATCH, ROWS)]
    yield Case("attention_sizes", "Attention", inputs, 1, sizes)
    for dummy in ((BATCH, 1), (1, 1)):
        mask = np.ones(dummy, np.int32)
        name = f"attention_dummy_mask_{dummy[0]}"
        yield Case(name, "Attention", [x, weights, bias, mask], 1, plain)


def multi_head_cases():
    keys = 6
    q, k, v = floats(BATCH, ROWS, HIDDEN), floats(BATCH, keys, HIDDEN), floats(BATCH, keys, HIDDEN)
    bias = floats(3 * HIDDEN)
    op, plain = "MultiHeadAttention", {"num_heads": HEADS}
    yield Case("multi_head", op, [q, k, v], 1, plain)
    yield Case("multi_head_scaled", op, [q, k, v], 1, {**plain, "scale": 0.7})
    yield Case("multi_head_bias", op, [q, k, v, bias], 1, plain)
    for form, mask in masks(keys).items():
        if form != "ends_and_starts":
            yield Case(f"multi_head_mask_{form}", op, [q, k, v, bias, mask], 1, plain)
    wide, wide_bias = floats(BATCH, keys, 2 * HIDDEN), floats(4 * HIDDEN)
    yield Case("multi_head_wide_values", op, [q, k, wide, wide_bias], 1, plain)
    cross = [q, floats(BATCH, HEADS, keys, SIZE), floats(BATCH, HEADS, keys, SIZE)]
    yield Case("multi_head_cross", op, cross, 1, plain)
    yield Case("multi_head_cross_bias", op, [*cross, bias], 1, plain)
    for batch, heads in ((BATCH, HEADS), (1, HEADS), (BATCH, 1), (1, 1)):
        inputs = [q, k, v, None, None, floats(batch, heads, ROWS, keys)]
        yield Case(f"multi_head_added_{batch}_{heads}", op, inputs, 1, plain)
    k, v = floats(BATCH, ROWS, HIDDEN), floats(BATCH, ROWS, HIDDEN)
    past = [floats(BATCH, HEADS, PAST, SIZE), floats(BATCH, HEADS, PAST, SIZE)]
    yield Case("multi_head_present", op, [q, k, v, bias], 3, plain)
    for causal in (0, 1):
        attributes = {**plain, "unidirectional": causal}
        yield Case(f"multi_head_causal{causal}", op, [q, k, v], 1, attributes)
        inputs = [q, k, v, bias, None, None, *past]
        yield Case(f"multi_head_past_causal{causal}", op, inputs, 3, attributes)
        inputs[4:6] = visible(BATCH, TOTAL), floats(1, HEADS, ROWS, TOTAL)
        yield Case(f"multi_head_past_mask_causal{causal}", op, inputs, 3, attributes)


def grouped_cases():
    op, groups = "GroupQueryAttention", 2
    cos, sin = rotary_caches()

    def case(name, rows, past, lengths, packed=False, extra=(), outputs=3, buffer=None, **options):
        attributes = {"num_heads": HEADS, "kv_num_heads": groups, **options}
        width = HIDDEN + 2 * groups * SIZE
        qkv = floats(BATCH, rows, width)
        parts = [qkv, None, None] if packed else np.split(qkv, [HIDDEN, HIDDEN + groups * SIZE], 2)
        held = past if buffer is None else buffer
        pasts = [None, None]
        if held:
            pasts = [floats(BATCH, groups, held, SIZE), floats(BATCH, groups, held, SIZE)]
        last = ints(lengths) - 1
        inputs = [*parts, *pasts, last, ints(max(lengths)), cos, sin, *extra]
        if not options.get("do_rotary"):
            inputs[7:9] = None, None
        return Case(f"grouped_{name}", op, inputs, outputs, attributes)

    prompt, step = (ROWS, 0, [ROWS, ROWS]), (1, 6, [7, 7])
    for packed in (False, True):
        for rotary in (0, 1):
            for interleaved in (0, 1) if rotary else (0,):
                options = {"do_rotary": rotary, "rotary_interleaved": interleaved}
                suffix = f"packed{int(packed)}_rotary{rotary}{interleaved}"
                yield case(f"prompt_{suffix}", *prompt, packed=packed, **options)
                yield case(f"step_{suffix}", *step, packed=packed, **options)
    for rotary in (0, 1):
        options = {"do_rotary": rotary}
        yield case(f"step_uneven_{rotary}", 1, 6, [7, 4], **options)
        yield case(f"step_buffer_{rotary}", 1, None, [7, 4], buffer=12, **options)
        yield case(f"prompt_buffer_{rotary}", ROWS, None, [ROWS, ROWS], buffer=12, **options)
    yield case("prompt_uneven_0", ROWS, 0, [ROWS, 3])
    yield case("prompt_uneven_1", ROWS, 0, [ROWS, 3], do_rotary=1)
    yield case("prompt_alone", *prompt, outputs=1)
    yield case("window_prompt", *prompt, local_window_size=2)
    yield case("window_step", *step, local_window_size=3)
    yield case("softcap", *prompt, softcap=0.8)
    yield case("smooth", *prompt, smooth_softmax=1)
    yield case("smooth_step", *step, smooth_softmax=1)
    yield case("scale", *step, scale=0.5)
    sinks = (None, None, floats(HEADS))
    yield case("sink", *prompt, extra=sinks)
    for batch, heads in ((BATCH, HEADS), (1, HEADS), (BATCH, 1), (1, 1)):
        added = (None, floats(batch, heads, ROWS, ROWS))
        yield case(f"added_{batch}_{heads}", *prompt, extra=added)
    yield case("added_step", *step, extra=(None, floats(1, HEADS, 1, 7)))
    positions = np.array([[6], [4]], np.int64)
    yield case("positions_step", 1, 6, [7, 5], do_rotary=1, extra=(positions,))


def rotary_cases():
    op = "RotaryEmbedding"
    cos, sin = rotary_caches()
    flat, heads = floats(BATCH, ROWS, HIDDEN), floats(BATCH, HEADS, ROWS, SIZE)
    positions = RNG.integers(0, 16, (BATCH, ROWS))
    for interleaved in (0, 1):
        attributes = {"interleaved": interleaved}
        for kind, x in (("flat", flat), ("heads", heads)):
            name = f"rotary_{kind}_{interleaved}"
            yield Case(name, op, [x, positions, cos, sin], 1, attributes)
            first = np.array([4])
            yield Case(f"{name}_first", op, [x, first, cos, sin], 1, attributes)
    cos, sin = rotary_caches(columns=2)
    partial = {"num_heads": HEADS, "rotary_embedding_dim": 4}
    yield Case("rotary_partial", op, [flat, positions, cos, sin], 1, partial)
    yield Case("rotary_partial_heads", op, [heads, positions, cos, sin], 1, partial)


def embedding_cases():
    op, hidden = "EmbedLayerNormalization", 12
    ids = RNG.integers(0, 9, (BATCH, ROWS)).astype(np.int32)
    segments = RNG.integers(0, 2, (BATCH, ROWS)).astype(np.int32)
    words, places, kinds = floats(9, hidden), floats(8, hidden), floats(2, hidden)
    gamma, beta = floats(hidden), floats(hidden)
    mask = ints([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]])
    positions = RNG.integers(0, 8, (BATCH, ROWS)).astype(np.int32)
    base = [ids, segments, words, places, kinds, gamma, beta]
    yield Case("embed", op, base, 2)
    yield Case("embed_mask", op, [*base, mask], 2)
    yield Case("embed_sum", op, [*base, mask], 3, {"epsilon": 0.01})
    yield Case("embed_positions", op, [*base, None, positions], 2)
    yield Case("embed_row_of_positions", op, [*base, mask, positions[:1]], 2)
    yield Case("embed_no_segments", op, [ids, None, words, places, None, gamma, beta], 2)


def quantized_cases():
    op, plain = "QAttention", {"num_heads": HEADS}
    weights = RNG.integers(-128, 128, (12, 3 * HIDDEN)).astype(np.int8)
    bias = floats(3 * HIDDEN)
    past = floats(2, BATCH, HEADS, PAST, SIZE)
    x_scale, scale = np.float32(0.02), np.float32(0.01)
    scales = RNG.uniform(0.005, 0.02, 3 * HIDDEN).astype(np.float32)
    x = RNG.integers(0, 200, (BATCH, ROWS, 12)).astype(np.uint8)
    zeros = [np.uint8(120), np.int8(2)]
    inputs = [x, weights, bias, x_scale, scale]
    yield Case("quantized", op, inputs, 1, plain)
    yield Case("quantized_zeros", op, [*inputs, None, *zeros], 1, plain)
    causal = {**plain, "unidirectional": 1}
    yield Case("quantized_mask", op, [*inputs, ints([ROWS, ROWS - 2]), *zeros], 1, causal)
    column_zeros = RNG.integers(-3, 4, 3 * HIDDEN).astype(np.int8)
    columns = [x, weights, bias, x_scale, scales, None, zeros[0], column_zeros]
    yield Case("quantized_columns", op, columns, 1, plain)
    unsigned = (weights.astype(np.int32) + 128).astype(np.uint8)
    inputs[1] = unsigned
    yield Case("quantized_unsigned", op, [*inputs, None, zeros[0], np.uint8(128)], 1, plain)
    inputs = [*inputs, visible(BATCH, TOTAL), zeros[0], np.uint8(128), past]
    yield Case("quantized_past", op, inputs, 2, plain)


def normalization_cases():
    """What optimizers write into the standard domain, whatever the opset."""
    x, scale, bias = floats(BATCH, ROWS, 12), floats(12), floats(12)
    for opset in (11, 14, 17):
        options = {"domain": "", "opset": opset}
        attributes = {"epsilon": 1e-3, "axis": -1}
        name = f"normalization_{opset}"
        yield Case(name, "LayerNormalization", [x, scale, bias], 1, attributes, **options)
        simplified = "SimplifiedLayerNormalization"
        yield Case(f"simplified_{opset}", simplified, [x, scale], 1, attributes, **options)


def cases():
    yield from attention_cases()
    yield from multi_head_cases()
    yield from grouped_cases()
    yield from rotary_cases()
    yield from embedding_cases()
    yield from quantized_cases()
    yield from normalization_cases()


if __name__ == "__main__":
    sys.exit(check(cases()))
