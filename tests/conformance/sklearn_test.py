#!/usr/bin/env python3
"""scikit-learn models, exported by skl2onnx, answer through inferd as they do in scikit-learn.

Labels are equal and scores differ by at most 1e-5 of the largest score. Both get the same float32
inputs, but scikit-learn goes on in float64: where that decides (a feature within rounding of a
threshold, two classes with nearly the same score) neither answer is wrong. Such rows are found with
scikit-learn alone, by asking it again with inputs changed by 1e-6 of their size; they are taken out
and counted, and a model that loses more than a tenth of its rows fails.

    sklearn_test.py [--provider cpu|portable] [NAME...]    some models: svc, forest
"""

import argparse
import itertools
import os
import subprocess
import sys
import tempfile
import warnings

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from e2e.clients import SKIPPED, np, onnx  # noqa: E402
from e2e.daemon import INFERD  # noqa: E402

try:
    import skl2onnx
    from skl2onnx.common import data_types
    from sklearn import svm
    from sklearn.base import is_classifier, is_regressor

    from conformance.boosting_cases import boosting_cases
    from conformance.sklearn_cases import sklearn_cases
except ImportError as error:
    print(f"skipped: {error}; tests/requirements.txt lists what is needed")
    sys.exit(1 if os.environ.get("INFERD_REQUIRE_CLIENTS") else SKIPPED)

TOLERANCE = 1e-5
NUDGE = 1e-6
ROWS = 60
MAX_LOST = 0.1
# What exports are made for: a case without a wish gets the next of these.
OPSETS = ((17, 3), (21, 3), (15, 2), (13, 1), (18, 3), (11, 1))
ZIPMAPS = (True, False, "columns")


def first_answer_of(model, x):
    """scikit-learn's answers in the order of the exported outputs: labels first."""
    last = model[-1] if hasattr(model, "steps") else model
    if is_classifier(model):
        if hasattr(model, "predict_proba"):
            return [model.predict(x), model.predict_proba(x)]
        scores = model.decision_function(x)
        if isinstance(last, (svm.SVC, svm.NuSVC)) and scores.ndim == 1:
            scores = np.stack([scores, -scores], axis=1)  # so skl2onnx gives the one decision
        return [model.predict(x), scores]
    if is_regressor(model):
        return [model.predict(x)]
    for scores in ("decision_function", "predict_proba"):  # outliers, mixtures
        if hasattr(model, scores) and hasattr(model, "predict"):
            return [model.predict(x), getattr(model, scores)(x)]
    if hasattr(last, "kneighbors"):
        distances, indices = last.kneighbors(x)
        return [indices, distances]
    if hasattr(model, "predict"):  # clusters
        return [model.predict(x), model.transform(x)]
    return [model.transform(x)]


def answers_of(case, model, x):
    """The answers as dense arrays with one row for each of x."""
    if case.options.get("raw_scores"):
        answers = [model.predict(x), model.decision_function(x)]
    else:
        answers = first_answer_of(model, x)
    dense = [a.toarray() if hasattr(a, "toarray") else np.asarray(a) for a in answers]
    return [a.reshape(len(x), -1) for a in dense]


def is_score(array):
    return np.issubdtype(array.dtype, np.floating)


def scale_of(answers):
    scores = [np.abs(a[np.isfinite(a)]).max(initial=0) for a in answers if is_score(a)]
    return max(scores, default=0)


def decided_rows(case, model, x):
    """Which rows have one answer, however their inputs are rounded."""
    rows = np.ones(len(x), bool)
    if case.exact or x.dtype == object:
        return rows
    expected = answers_of(case, model, x)
    limit = TOLERANCE * scale_of(expected)
    signs = np.random.default_rng(0).choice([-1, 1], x.shape)
    for nudge in (-NUDGE * signs, NUDGE * signs):
        moved = np.where(x == np.round(x), x, x * (1 + nudge)).astype(x.dtype)
        for before, after in zip(expected, answers_of(case, model, moved)):
            if is_score(before):
                same = np.isclose(after, before, rtol=0, atol=limit, equal_nan=True)
            else:
                same = after == before
            rows &= same.all(axis=1)
    return rows


def input_types(case, x):
    if not case.columns:
        kind = data_types.DoubleTensorType if case.double else data_types.FloatTensorType
        return [("x", kind([None, x.shape[1]]))]
    kinds = {str: data_types.StringTensorType, float: data_types.FloatTensorType}
    return [(name, kinds[kind]([None, width])) for name, kind, width in case.columns]


def inputs_of(case, x):
    """The model's inputs by name."""
    if not case.columns:
        return {"x": x.astype(np.float64 if case.double else np.float32)}
    x = x.reshape(len(x), -1)
    inputs, at = {}, 0
    for name, kind, width in case.columns:
        part = x[:, at : at + width]
        inputs[name] = part.astype(object if kind is str else np.float32)
        at += width
    return inputs


def export(case, model, x, opsets, zipmap):
    if case.convert:
        return case.convert(model, x.shape[1])
    opset, ml_opset = opsets
    options = dict(case.options)
    last = model[-1] if hasattr(model, "steps") else model
    if is_classifier(last) and hasattr(last, "predict_proba"):
        options.setdefault("zipmap", zipmap)
    return skl2onnx.to_onnx(
        model,
        initial_types=input_types(case, x),
        options=options or None,
        target_opset={"": case.opset or opset, "ai.onnx.ml": case.ml_opset or ml_opset},
    )


def expected_values(case, model, proto, answers):
    """scikit-learn's answers in the form of the file's outputs."""
    outputs = proto.graph.output
    if len(outputs) > len(answers):  # a score a class, each an output of its own
        answers = [answers[0], *answers[1].T]
    values = []
    for answer, output in zip(answers, outputs):
        if output.type.HasField("sequence_type"):  # a map a row
            classes = model.classes_.tolist()
            values.append([dict(zip(classes, np.float32(scores))) for scores in answer])
            continue
        form = output.type.tensor_type
        sizes = [dim.dim_value for dim in form.shape.dim]
        shape = (-1,) if len(sizes) == 1 else (1, -1) if sizes[0] == 1 else (len(answer), -1)
        kind = onnx.helper.tensor_dtype_to_np_dtype(form.elem_type)
        values.append(answer.reshape(shape).astype(kind))
    if case.label_shape:
        values[0] = values[0].reshape(case.label_shape)
    return values


def map_of(scores):
    message = onnx.MapProto(values=onnx.numpy_helper.from_list(list(scores.values())))
    if isinstance(next(iter(scores)), str):
        message.key_type = onnx.TensorProto.STRING
        message.string_keys.extend(name.encode() for name in scores)
    else:
        message.key_type = onnx.TensorProto.INT64
        message.keys.extend(scores)
    return message


def proto_of(name, value):
    if isinstance(value, list):
        parts = [map_of(part) for part in value]
        return onnx.SequenceProto(name=name, elem_type=onnx.SequenceProto.MAP, map_values=parts)
    return onnx.numpy_helper.from_array(value, name)


def write_case(folder, proto, inputs, outputs):
    data = os.path.join(folder, "test_data_set_0")
    os.makedirs(data)
    onnx.save(proto, os.path.join(folder, "model.onnx"))
    named = zip([value.name for value in proto.graph.output], outputs)
    for prefix, values in (("input", inputs.items()), ("output", named)):
        for i, (name, value) in enumerate(values):
            with open(os.path.join(data, f"{prefix}_{i}.pb"), "wb") as file:
                file.write(proto_of(name, value).SerializeToString())


def check(case, opsets, zipmap, provider, folder):
    """('' or what is wrong, rows asked, rows taken out)."""
    x, y = case.data
    model = case.model.fit(x, y)
    asked = x[:: max(1, len(x) // ROWS)]
    decided = decided_rows(case, model, asked)
    lost = int((~decided).sum())
    if lost > MAX_LOST * len(asked):
        return f"{lost} of {len(asked)} rows are decided by rounding", len(asked), lost
    asked = asked[decided]
    proto = export(case, model, x.reshape(len(x), -1), opsets, zipmap)
    inputs = inputs_of(case, asked)
    answers = answers_of(case, model, asked)
    write_case(folder, proto, inputs, expected_values(case, model, proto, answers))
    limit = str(TOLERANCE * scale_of(answers))
    ended = subprocess.run(
        [INFERD, "test", "--provider", provider, "--rtol", "0", "--atol", limit, folder],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=120,
    )
    if ended.returncode == 0 and ended.stdout.startswith("1 passed"):
        return "", len(asked), lost
    return (ended.stdout + ended.stderr).strip()[-600:], len(asked), lost


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--provider", choices=("cpu", "portable"), default="cpu")
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # of trainings cut short
    cases = itertools.chain(sklearn_cases(), boosting_cases())
    wrong = passed = 0
    with tempfile.TemporaryDirectory(prefix="inferd-test-") as root:
        for i, case in enumerate(cases):
            if arguments.names and not any(name in case.name for name in arguments.names):
                continue
            settings = OPSETS[i % len(OPSETS)], ZIPMAPS[i % len(ZIPMAPS)]
            folder = os.path.join(root, str(i))
            try:
                problem, rows, lost = check(case, *settings, arguments.provider, folder)
            except Exception as error:  # one model's failure must not hide the others
                problem, rows, lost = f"{type(error).__name__}: {error}"[:500], 0, 0
            if problem:
                print(f"FAILED {case.name} {settings}: {problem}", flush=True)
                wrong += 1
                continue
            passed += 1
            if lost:
                print(f"{case.name}: {lost} rows decided by rounding, {rows} compared")
    print(f"{passed} models agree with scikit-learn, {wrong} do not")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
