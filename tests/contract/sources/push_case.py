"""Samples that were posted to us, in a database on disk."""

from contextlib import contextmanager
from datetime import timedelta

from contract.sources.case import SERIES, Case, Fault, Question

from governance.core.metric import Query, labels
from governance.engine.pushing import StoredSamples
from governance.sources.push import Push, PushConfig
from governance.store import pushed
from governance.store.database import Database
from governance.store.pushed import PushedSample

_DISK = "samples come from our own database on disk, which no network lies before"


class PushCase(Case):
    kind = "push"
    not_applicable = {  # noqa: RUF012 (never changed)
        **dict.fromkeys(["silent", "drip", "refused", "reset"], _DISK),
        "not_finite": "a push with such a number is refused, see tests/interfaces/test_samples.py",
    }

    def __init__(self, directory):
        super().__init__(directory)
        self.path = directory / "gov.db"
        self.database = Database(f"sqlite:///{self.path}")
        self.database.create_tables()
        self.source = Push(PushConfig(max_series=SERIES))
        self.source.read_from("pushed", StoredSamples(self.database))
        self.push("score", 0.75, ago=20)
        self.push("score", 0.5, ago=10)
        self.push("score", 0.9, ago=90)  # before the window
        for region, value in (("east", 0.25), ("west", 0.5)):
            self.push("share", value, labels(region=region))

    def close(self):
        self.database.close()

    def push(self, metric, value, labelled=(), *, ago=5, known=None, model="m"):
        time = self.at - timedelta(minutes=ago)
        with self.database.transaction() as connection:
            sample = PushedSample(model, metric, time, value, labelled)
            pushed.add(connection, "pushed", [sample], actor="ana", at=known or time)

    def asked(self, metric, model="m"):
        return Query("pushed", text=metric, parameters=labels(model=model))

    def plain(self):
        return Question(self.asked("score"), {(): 0.5})

    def labelled(self):
        return Question(
            self.asked("share"), {labels(region="east"): 0.25, labels(region="west"): 0.5}, labels=("region",)
        )

    def unknown(self):
        return self.asked("score", model="no-such-model")

    def wrong(self):
        return Query("pushed", text="score")  # of which model?

    def too_many(self):
        for number in range(SERIES + 2):
            self.push("many", 1.0, labels(number=str(number)))
        return self.asked("many")

    def later(self):
        self.push("young", 0.5, known=self.at + timedelta(seconds=1))
        self.push("young", 0.6, ago=-1)
        return self.asked("young")

    @contextmanager
    def broken(self, fault: Fault):
        self.database.close()
        good = self.path.read_bytes()
        self.path.unlink()
        if fault == "error":
            self.path.mkdir()
        else:
            self.path.write_bytes(good[:5000] if fault == "cut" else b"no database at all" * 1000)
        yield
        self.database.close()
        self.path.rmdir() if fault == "error" else self.path.unlink()
        self.path.write_bytes(good)


CASES = (PushCase,)
