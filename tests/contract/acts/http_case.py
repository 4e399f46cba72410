"""A server of somebody's jobs, which drops repeats by their key as the draft of the header says."""

from typing import Any, ClassVar

from contract.acts.case import Case
from contract.acts.world import Asked, Reply

from governance.actions.http import Http, HttpConfig


class HttpCase(Case):
    kind = "http"
    asks: ClassVar[dict[str, dict[str, Any]]] = {
        "request": {"json": {"model": "flight-delay", "run": "$key"}, "outputs": {"job": "/jobs/0/id", "none": "/x"}}
    }
    nonsense: ClassVar[list[tuple[str, dict[str, Any], str]]] = [
        ("request", {"url": "ftp://example.org"}, "url: an address begins with https://"),
        ("request", {"url": "https://ana:secret@example.org/"}, "without a password"),
        ("request", {"method": "CONNECT"}, "method: Input should be 'GET'"),
        ("request", {"headers": {"Authorization": "Bearer x"}}, "credentials come from"),
        ("request", {"headers": {"Idempotency-Key": "x"}}, "it is the key of the act"),
        ("request", {"headers": {"X-A": "a\r\nX-B: b"}}, "is no header"),
        ("request", {"outputs": {"job": "jobs[0]"}}, "outputs.job: String should match pattern"),
        ("request", {"expect": 99}, "expect.0: Input should be greater"),
        ("request", {"body": "x"}, "body: Extra inputs"),
        ("request", {"url": "https://elsewhere.example.org/"}, "not asked: elsewhere.example.org is not in `hosts`"),
    ]
    told_apart = frozenset({"request"})

    def built(self, limit: str) -> Http:
        self.asks = {"request": {**HttpCase.asks["request"], "url": f"{self.world.address}/jobs?by=gov"}}
        back = {"url": f"{self.world.address}/jobs/$key", "failed_when": 404}
        self.asks["request"]["read_back"] = back
        host = self.world.address.removeprefix("http://")
        return Http(HttpConfig(hosts=(host,), token_env="CASE_SECRET", timeout=limit))  # noqa: S106 (a variable)

    def answer(self, asked: Asked) -> Reply:
        if asked.method in ("GET", "HEAD"):
            key = asked.path.removeprefix("/jobs/")
            return Reply(200, {"jobs": [{"id": key}]}) if self.world.did[key] else Reply(404, {"error": "no such job"})
        if not self.world.did[asked.key]:
            self.world.did[asked.key] += 1
        return Reply(201, {"jobs": [{"id": asked.key}]})
