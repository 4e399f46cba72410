"""JSON over HTTP, from a server of ours."""

from contextlib import AbstractContextManager
from datetime import timedelta

from contract.sources.case import LIMIT, SERIES, Case, Fault, Question
from contract.sources.fault_server import FaultServer

from governance.core.metric import Query, labels
from governance.sources.http import Http, HttpConfig


class HttpCase(Case):
    kind = "http"

    def __init__(self, directory):
        super().__init__(directory)
        self.server = FaultServer()
        self.server.echo = f"Bearer {self.secret}"
        self.config = {"address": self.server.address, "token_env": "CASE_SECRET", "timeout": f"{LIMIT * 1000:.0f}ms"}
        self.source = Http(HttpConfig(**self.config, max_series=SERIES), now=lambda: self.at)

    def close(self):
        self.server.close()

    def told(self, body, extract, path="/told"):
        self.server.told[path] = body
        return Query("s", text=path, extract=extract)

    def plain(self):
        return Question(self.told({"auc": 0.75}, "body.auc", "/plain"), {(): 0.75})

    def labelled(self):
        body = {"origins": {"JFK": 1, "LGA": 2.5}}
        extract = "body.origins.map(o, {'value': body.origins[o], 'labels': {'origin': o}})"
        expected = {labels(origin="JFK"): 1.0, labels(origin="LGA"): 2.5}
        return Question(self.told(body, extract, "/labelled"), expected, ("origin",))

    def unknown(self):
        return self.told({"auc": 0.75}, "body.models.loans.auc")

    def wrong(self):
        return self.told({"auc": 0.75}, "body.auc +", "/wrong")

    def too_many(self):
        body = [{"value": n, "labels": {"n": str(n)}} for n in range(SERIES + 2)]
        return self.told(body, "body")

    def not_finite(self, value):
        return self.told({"auc": value}, "body.auc")

    def later(self):
        return self.told([{"value": 1, "time": (self.at + timedelta(minutes=2)).isoformat()}], "body")

    def broken(self, fault: Fault) -> AbstractContextManager[None]:
        return self.server.broken(fault)


CASES = (HttpCase,)
