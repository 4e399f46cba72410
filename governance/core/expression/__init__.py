"""Expressions in CEL: checked when loaded, then evaluated over metrics and variables.

cel-python and its parser are imported with the first expression, not with this package, and nowhere else.
"""

from governance.core.expression.conditions import NOT_JUDGED, Condition, ConditionOutcome
from governance.core.expression.context import Context
from governance.core.expression.display import displayed
from governance.core.expression.explanation import Term
from governance.core.expression.names import Names
from governance.core.expression.problem import EvaluationFailed, ExpressionError, ExpressionProblem, Missing, place_of
from governance.core.expression.program import Program, compile_expression
from governance.core.expression.reference import MISSING, Budget, Over, Reference
from governance.core.expression.shape import ANY, STRING, Shape, shape_of
from governance.core.expression.template import Template, compile_template

__all__ = [
    "ANY",
    "MISSING",
    "NOT_JUDGED",
    "STRING",
    "Budget",
    "Condition",
    "ConditionOutcome",
    "Context",
    "EvaluationFailed",
    "ExpressionError",
    "ExpressionProblem",
    "Missing",
    "Names",
    "Over",
    "Program",
    "Reference",
    "Shape",
    "Template",
    "Term",
    "compile_expression",
    "compile_template",
    "displayed",
    "place_of",
    "shape_of",
]
