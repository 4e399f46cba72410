"""Stories of the engine itself: whether it judges in time, seals what it decides and reaches people."""

from packs.story import Story

ENGINE = {"model": "engine", "metrics": {"x": {"source": "warehouse", "query": "select 1"}}} | dict.fromkeys(
    ("log", "truth", "slices", "data", "cost", "retraining", "rollback", "review", "regimes", "slos")
)

STORIES = [
    Story("engine/was-away", "for twenty minutes", "warning", {"away": 1200}, ENGINE,
          summary="Nothing was judged for 1,200 s"),
    Story("engine/was-away", "it judges each minute", "", {"away": 60}, ENGINE),
    Story("engine/unsealed", "the database is full", "critical", {"oldest_unsealed": 300}, ENGINE),
    Story("engine/unsealed", "a moment", "", {"oldest_unsealed": 2}, ENGINE),
    Story("engine/undelivered", "the pager is down", "critical", {"oldest_undelivered": 1200}, ENGINE),
    Story("engine/undelivered", "a retry", "", {"oldest_undelivered": 60}, ENGINE),
    Story("engine/given-up", "two since yesterday", "critical", {"given_up": 5}, ENGINE, past={"given_up": [3, 5]}),
    Story("engine/given-up", "none since yesterday", "", {"given_up": 5}, ENGINE, past={"given_up": [5, 5]}),
]  # fmt: skip
