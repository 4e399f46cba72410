"""Stories of personal data: its limits, who may see it, and whether what is promised is so."""

from typing import Any

from packs.story import CARD, Story


def data(**changes: Any) -> dict[str, Any]:
    """Return the card's data with other parts."""
    return {"data": {**CARD["data"], **changes}}


NAME = {"name": {"type": "text", "pii": "direct"}}
NOTE = {"note": {"type": "text", "pii": "free_text"}}
PLATE = {"plate": {"type": "text", "pii": "pseudonymous"}}
MONTH, YEAR = {"at_most": "30d"}, {"at_most": "365d"}

STORIES = [
    Story("retention-and-pii/personal-data-kept-too-long", "no limit", "warning", {}, data(features=NAME),
          summary="name is direct personal data without a limit of 30d"),
    Story("retention-and-pii/personal-data-kept-too-long", "a text may hold anything", "warning", {},
          data(features=NOTE, retention={"features": YEAR})),
    Story("retention-and-pii/personal-data-kept-too-long", "a month", "", {},
          data(features=NAME, retention={"features": MONTH})),
    Story("retention-and-pii/personal-data-kept-too-long", "pseudonyms", "", {}, data(features=PLATE)),
    Story("retention-and-pii/personal-data-kept-too-long", "a stricter card", "warning", {},
          {**data(features=NAME, retention={"features": MONTH}),
           "parameters": {"retention-and-pii/personal_limit": "20d"}}),
    Story("retention-and-pii/personal-output-kept-too-long", "a text for a year", "warning", {},
          data(outputs={"answer": {"pii": "free_text"}}, retention={"predictions": YEAR}),
          summary="The output answer is free_text personal data without a limit of 30d"),
    Story("retention-and-pii/personal-output-kept-too-long", "a month", "", {},
          data(outputs={"answer": {"pii": "free_text"}})),
    Story("retention-and-pii/predictions-without-limit", "pseudonyms for ever", "warning", {},
          data(features=PLATE, retention={})),
    Story("retention-and-pii/predictions-without-limit", "an answer to somebody", "warning", {},
          data(outputs={"answer": {"pii": "pseudonymous"}}, retention={})),
    Story("retention-and-pii/predictions-without-limit", "an answer about nobody", "", {},
          data(outputs={"answer": {"pii": "none"}}, retention={})),
    Story("retention-and-pii/predictions-without-limit", "a month", "", {}, data(features=PLATE)),
    Story("retention-and-pii/predictions-without-limit", "nobody's data", "", {}, data(retention={})),
    Story("retention-and-pii/labels-without-limit", "for ever", "info", {}, data(features=PLATE)),
    Story("retention-and-pii/labels-without-limit", "a year", "", {},
          data(features=PLATE, retention={"labels": YEAR})),
    Story("retention-and-pii/kept-longer-than-promised", "the job stopped", "warning", {"oldest_row": 40 * 86400},
          summary="The oldest prediction is 40 days old, the card promises at most 30d"),
    Story("retention-and-pii/kept-longer-than-promised", "it runs at night", "", {"oldest_row": 30.9 * 86400}),
    Story("retention-and-pii/kept-longer-than-promised", "nothing promised", "", {"oldest_row": 9000 * 86400},
          data(retention={})),
    Story("retention-and-pii/anybody-may-see", "nobody named", "warning", {}, data(features=NAME, access=[]),
          summary="name is direct personal data, and nobody is named who may query it"),
    Story("retention-and-pii/anybody-may-see", "lending may", "", {}, data(features=NAME)),
    Story("retention-and-pii/access-undeclared", "nobody named", "info", {}, data(access=[])),
    Story("retention-and-pii/access-undeclared", "lending may", ""),
    Story("retention-and-pii/access-undeclared", "said feature by feature", "", {}, data(features=NAME, access=[])),
]  # fmt: skip
