"""The results as JUnit XML, which continuous integration reads.

Elements and attributes are those that Maven's surefire writes and Jenkins, GitLab and GitHub's reporters read:
https://maven.apache.org/surefire/maven-surefire-plugin/xsd/surefire-test-report.xsd
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from governance.core.problem import Problem
from governance.testing.play import Played

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold, not even escaped."""


def document(played: Sequence[Played], problems: Sequence[Problem]) -> str:
    """Return the report: one suite for each file, one case for each test; a file that does not load is an error."""
    by_file: dict[str, list[Played]] = defaultdict(list)
    broken: dict[str, list[Problem]] = defaultdict(list)
    for each in played:
        by_file[each.scene.suite.source.file].append(each)
    for problem in problems:
        broken[problem.position.file].append(problem)
    root = ET.Element("testsuites", name="gov test")
    for file in sorted({*by_file, *broken}):
        root.append(_suite(file, by_file[file], broken[file]))
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(each.get(name, "0")) for each in root)))
    root.set("time", f"{sum(float(each.get('time', '0')) for each in root):.3f}")
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(file: str, played: Sequence[Played], problems: Sequence[Problem]) -> ET.Element:
    failed = sum(bool(each.failures) for each in played)
    suite = ET.Element(
        "testsuite",
        name=_text(file),
        tests=str(len(played) + bool(problems)),
        failures=str(failed),
        errors=str(int(bool(problems))),
        skipped="0",
        time=f"{sum(each.seconds for each in played):.3f}",
    )
    if problems:
        case = ET.SubElement(suite, "testcase", name="loads", classname=_text(_class(file)), time="0.000")
        error = ET.SubElement(case, "error", message=_text(problems[0].message), type=problems[0].code)
        error.text = _text("\n".join(each.render() for each in problems))
    for each in played:
        _case(suite, file, each)
    return suite


def _case(suite: ET.Element, file: str, played: Played) -> None:
    name = _text(played.scene.test.test)
    case = ET.SubElement(suite, "testcase", name=name, classname=_text(_class(file)), time=f"{played.seconds:.3f}")
    if played.failures:
        first = played.failures[0].problem
        failure = ET.SubElement(case, "failure", message=_text(first.message), type=first.code)
        failure.text = _text("\n".join(each.render() for each in played.failures))


def _class(file: str) -> str:
    """Return a file's name as consumers group cases: dots for slashes."""
    return file.removesuffix(".yaml").removesuffix(".yml").removesuffix(".test").strip("/").replace("/", ".")


def _text(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
