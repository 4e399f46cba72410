"""Slack beside `gov serve`, as it is run: a process that is killed and comes back finds its message again."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
import yaml
from interfaces.serving import FILES, Served, ask, prepared, sample
from workspace.server import Workspace, text_of, wait


def test_a_process_that_is_killed_goes_on_with_the_same_message(
    tmp_path: Path, slack: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in slack.environment.items():
        monkeypatch.setenv(name, value)
    org = yaml.safe_load(FILES["org.yaml"])
    org |= {"people": {"ana": {"slack": "U0ANN"}}, "notifiers": {"slack": slack.settings()}}
    directory = prepared(tmp_path / "own", {**FILES, "org.yaml": yaml.safe_dump(org)})
    served = Served(directory)
    try:
        assert served.push(sample(0.9)).status_code < 300
        message = wait(lambda: next(iter(slack.messages()), None), "the message")
        assert "loans" in message["text"]
        slack.click("ann", message, "incident.acknowledge")
        wait(lambda: "lead ana" in slack.messages()[0]["text"], "who took it")
        doctor = ask(directory, "doctor", "slack")
        assert "✗" not in doctor.stdout, doctor.stdout
        served.stop(signal.SIGKILL)
        served.close()
        served = Served(directory)
        assert served.push(sample(0.1)).status_code < 300
        wait(lambda: "resolved" in slack.messages()[0]["text"], "the end")
        assert len(slack.messages()) == 1
        assert "took it" in text_of(slack.thread(message))
        why = ask(directory, "why", "1")
        assert why.returncode == 0, why.stderr
        assert why.stdout.count("slack") == 2, why.stdout
        assert "withheld" not in why.stdout
    finally:
        served.close()
