"""What the rules of the checker's table may name, declared for our checker and, alike, for Google's CEL for C++."""

from __future__ import annotations

from typing import Any

from cel_expr_python import cel
from google.protobuf import descriptor_pb2, descriptor_pool, duration_pb2, struct_pb2, timestamp_pb2

from governance.core.card import Card
from governance.core.evidence import EVIDENCE
from governance.core.expression import Names, Shape, shape_of

CARD = shape_of(Card)
SHARE = (0.0, 1.0)


def _item(*names: str) -> Shape:
    shape = CARD
    for name in names:
        shape = shape.field(name).shape  # type: ignore[union-attr]
    return Shape.record({"key": Shape.leaf("string"), "value": shape.element})


NAMES = Names(
    metrics={
        **dict.fromkeys(("auc", "errors", "predictions", "p95_latency", "cost_per_1k", "spend", "score_psi"), ()),
        **dict.fromkeys(("psi", "null_rate", "constant"), ("feature",)),
        "recall_by_slice": ("slice", "value"),
        "version_share": ("version",),
    },
    bounds={"auc": SHARE, "errors": SHARE, "null_rate": SHARE, "recall_by_slice": SHARE, "predictions": (0, 1e308)},
    variables={
        "card": CARD,
        "parameters": Shape.record(
            {"limit": Shape.leaf("double"), "personal_limit": Shape.leaf("duration"), "severe": Shape.leaf("bool")}
        ),
        "labels": Shape.map(Shape.leaf("string")),
        "evidence": EVIDENCE,
        "now": Shape.leaf("timestamp"),
        "feature": _item("data", "features"),
        "review": _item("review"),
        "slo": _item("slos"),
    },
    slos=frozenset({"latency"}),
    slo_items=frozenset({"slo"}),
)

_T = cel.Type
_FIELD = descriptor_pb2.FieldDescriptorProto
_LEAVES = {
    "double": _FIELD.TYPE_DOUBLE,
    "int": _FIELD.TYPE_INT64,
    "uint": _FIELD.TYPE_UINT64,
    "string": _FIELD.TYPE_STRING,
    "bool": _FIELD.TYPE_BOOL,
    "bytes": _FIELD.TYPE_BYTES,
}
_KNOWN = {"timestamp": ".google.protobuf.Timestamp", "duration": ".google.protobuf.Duration"}
_CEL = {"labels": _T.Map(_T.STRING, _T.STRING), "now": _T.TIMESTAMP}


class Peer:
    """Google's checker over the same names: records are messages, metrics doubles, our macros functions."""

    def __init__(self) -> None:
        self._file = descriptor_pb2.FileDescriptorProto(
            name="names.proto",
            package="names",
            syntax="proto3",
            dependency=[each.DESCRIPTOR.name for each in (duration_pb2, struct_pb2, timestamp_pb2)],
        )
        number, text = Shape.leaf("double"), Shape.leaf("string")
        series = Shape.record({"value": number, "labels": Shape.map(text)})
        shapes = {
            **{name: each for name, each in NAMES.variables.items() if name not in _CEL},
            "metrics": Shape.record(dict.fromkeys(NAMES.metrics, number)),
            "slos": Shape.record({"latency": Shape.record({"key": text, "value": series})}),
            "series": series,
        }
        for name, each in shapes.items():
            self._message(name, each)
        pool = descriptor_pool.DescriptorPool()
        for module in (duration_pb2, struct_pb2, timestamp_pb2):
            pool.AddSerializedFile(module.DESCRIPTOR.serialized_pb)
        pool.AddSerializedFile(self._file.SerializeToString())
        variables = {name: _T(f"names.{name}") for name in shapes}
        self._environment = cel.NewEnv(pool, variables={**variables, **_CEL}, functions=_functions())

    def problem(self, text: str) -> str:
        """Return what the peer says of an expression that must give a bool; "" when nothing is wrong."""
        try:
            result = self._environment.compile(text).return_type()
        except RuntimeError as error:
            first = str(error).splitlines()[0]
            return first.split("<input>:", 1)[-1].split(": ", 1)[-1].replace(" (in container '')", "")
        return "" if result.name() in ("BOOL", "DYN") else f"gives {result.name()}"

    def _message(self, name: str, shape: Shape) -> str:
        """Declare a record as a message and return its type's name."""
        message = self._file.message_type.add(name=name)
        for index, field in enumerate(shape.fields, 1):
            self._field(message, field.name, index, field.shape)
        return f".names.{name}"

    def _field(self, message: Any, name: str, number: int, shape: Shape) -> None:
        field = message.field.add(name=name, number=number, label=_FIELD.LABEL_OPTIONAL)
        if shape.kind == "map":
            entry = f"{name.title().replace('_', '')}Entry"
            nested = message.nested_type.add(name=entry)
            nested.options.map_entry = True
            self._field(nested, "key", 1, Shape.leaf("string"))
            self._field(nested, "value", 2, shape.element)
            field.label = _FIELD.LABEL_REPEATED
            field.type, field.type_name = _FIELD.TYPE_MESSAGE, f".names.{message.name}.{entry}"
            if message.name not in {each.name for each in self._file.message_type}:
                raise ValueError(f"a map inside a map: {name}")
            return
        if shape.kind == "list":
            field.label = _FIELD.LABEL_REPEATED
            shape = shape.element
        self._type(field, message.name, name, shape)

    def _type(self, field: Any, message: str, name: str, shape: Shape) -> None:
        if shape.kind in _LEAVES:
            field.type = _LEAVES[shape.kind]
            return
        field.type = _FIELD.TYPE_MESSAGE
        if shape.kind == "record" and shape.fields:
            field.type_name = self._message(f"{message}_{name}", shape)
        else:
            field.type_name = _KNOWN.get(shape.kind, ".google.protobuf.Value")


def _functions() -> list[Any]:
    number, text, any_ = _T.DOUBLE, _T.STRING, _T.DYN

    def declared(name: str, *overloads: tuple[Any, list[Any]]) -> Any:
        return cel.FunctionDecl(
            name, [cel.Overload(f"{name}_{at}", result, given) for at, (result, given) in enumerate(overloads)]
        )

    aggregates = ("max", "min", "avg", "sum", "count")
    stretches = ("avg", "min", "max", "sum", "stddev")
    return [
        *(declared(name, (number, [number]), (number, [number, _T.List(text)])) for name in aggregates),
        *(declared(f"{name}_over_time", (number, [number, text])) for name in stretches),
        *(declared(name, (number, [number, text])) for name in ("offset", "slope", "change")),
        declared("quantile_over_time", (number, [number, number, text])),
        declared("samples", (number, [number])),
        declared("age", (_T.DURATION, [number])),
        declared("series", (_T.List(_T("names.series")), [number])),
        declared("seconds", (number, [text]), (number, [_T.DURATION])),
        declared("burn_rate", (number, [any_, text])),
        declared("budget_left", (number, [any_])),
        declared("time_to_exhaustion", (_T.DURATION, [any_])),
    ]
