"""Which controls of which frameworks are judged, and by which checks: data, in our own words.

Ids and names were read in NIST AI 100-1 (AI RMF 1.0), Regulation (EU) 2024/1689 with Regulation (EU) 2026/1744, and the
interagency guidance of 17 April 2026 (SR 26-2, OCC Bulletin 2026-13). A control is listed where something that the
engine knows speaks to it; what it asks beyond that stands in no machine.
"""

from __future__ import annotations

from governance.core.control import Control, Framework


def _control(framework: str, short: str, name: str, asks: str, *checks: str) -> Control:
    return Control(f"{framework}/{short}", name, asks, checks)


def _nist(short: str, asks: str, *checks: str) -> Control:
    return _control("nist-rmf", short, f"NIST {short.replace('-', ' ').upper()}", asks, *checks)


def _act(short: str, name: str, asks: str, *checks: str) -> Control:
    return _control("eu-ai-act", short, f"AI Act {name}", asks, *checks)


def _sr(short: str, name: str, asks: str, *checks: str) -> Control:
    return _control("sr-26-2", short.lower(), f"SR 26-2 {short}, {name}", asks, *checks)


NIST = Framework(
    "nist-rmf",
    "NIST AI Risk Management Framework 1.0",
    (),
    "Voluntary; judged for every model. January 2023 (NIST AI 100-1).",
    "Of its 72 subcategories those are left out that ask about an organisation rather than about a model in "
    "production: legal work, training and diversity of people, impact on society, design, explanation, environment.",
    "https://doi.org/10.6028/NIST.AI.100-1",
    (
        _nist("govern-1.3", "How much is managed follows from how critical a model is", "tier"),
        _nist("govern-1.5", "Reviews are planned, and made as often as planned", "reviewed"),
        _nist("govern-1.6", "There is an inventory of the systems", "inventory"),
        _nist("govern-2.1", "Roles, responsibilities and lines of communication are written down", "people"),
        _nist("govern-4.3", "Incidents are found, and told", "monitored", "incidents-answered"),
        _nist("govern-6.2", "There is a plan for when what others supply fails", "third-parties"),
        _nist("map-1.1", "The intended purpose is written down", "purpose"),
        _nist("map-2.1", "The tasks, and the methods by which they are done, are defined", "rules:practice"),
        _nist("map-2.3", "How it is tested, and how far that carries, is written down", "rules:practice"),
        _nist("map-3.5", "Human oversight is defined", "authority"),
        _nist("map-4.1", "The parts of the system and what it rests on are mapped", "data-declared"),
        _nist("measure-1.1", "What is measured, and by which metrics, is chosen", "rules:practice"),
        _nist("measure-1.3", "People who did not build it take part in assessing it", "independent-review"),
        _nist("measure-2.3", "Performance is measured in conditions like those of service", "rules:performance",
              "objectives"),
        _nist("measure-2.4", "Function and behaviour are monitored in production", "monitored", "rules:drift",
              "rules:data-quality"),
        _nist("measure-2.6", "It can fail safely", "way-back"),
        _nist("measure-2.8", "Accountability is documented", "logged", "log-sound"),
        _nist("measure-2.10", "Privacy risk is examined", "rules:retention-and-pii"),
        _nist("measure-2.11", "Fairness and bias are evaluated", "slices"),
        _nist("measure-3.1", "Known and new risks are tracked in service", "rules:drift", "monitored"),
        _nist("manage-1.1", "Somebody decided that it may go into service", "approved"),
        _nist("manage-1.3", "Responses to risks are planned", "response"),
        _nist("manage-2.2", "Its value is sustained while it serves", "rules:retraining", "objectives"),
        _nist("manage-2.3", "People respond to what was not known before, and recover", "incidents-answered",
              "rollback-practised"),
        _nist("manage-2.4", "It can be superseded, disengaged or deactivated, and somebody is charged with that",
              "authority", "way-back", "switch-practised", "rollback-practised"),
        _nist("manage-3.1", "What others supply is monitored, and controlled", "third-parties"),
        _nist("manage-4.1", "A plan for monitoring after deployment is carried out, with response, recovery and "
              "change management", "monitored", "response", "changes"),
        _nist("manage-4.3", "Incidents and errors are tracked, and told to those concerned", "incidents-answered",
              "logged"),
    ),
)  # fmt: skip

EU_AI_ACT = Framework(
    "eu-ai-act",
    "EU AI Act, duties for high-risk systems",
    ("eu-ai-act",),
    "Regulation (EU) 2024/1689 as amended by (EU) 2026/1744: duties for high-risk systems of Annex III apply from "
    "2 December 2027, for those in products of Annex I from 2 August 2028. Judged for models whose card names the "
    "regime eu-ai-act; whether a system is high-risk, and who is its provider or deployer, people decide.",
    "Left out: transparency to deployers (13), cybersecurity within 15, quality management (17), keeping documents for "
    "ten years (18), registration, conformity assessment, and reports of serious incidents to authorities (73).",
    "https://eur-lex.europa.eu/eli/reg/2024/1689/oj",
    (
        _act("9", "Article 9, risk management system", "Risks are managed through the whole lifetime",
             "reviewed-for:eu-ai-act", "response", "monitored"),
        _act("10", "Article 10, data and data governance", "Data are governed, and fit their purpose", "data-declared",
             "rules:data-quality"),
        _act("12", "Article 12, record-keeping", "Events are recorded automatically over the lifetime",
             "prediction-log", "logged", "log-sound"),
        _act("14", "Article 14, human oversight", "People can oversee it, and stop it", "authority", "way-back",
             "switch-practised"),
        _act("15", "Article 15, accuracy and robustness", "It is as accurate as declared, throughout",
             "rules:performance", "objectives"),
        _act("19", "Article 19, automatically generated logs",
             "The provider keeps the logs that it controls for six months or more", "logs-kept"),
        _act("26-2", "Article 26(2), oversight by deployers", "The deployer assigns oversight to people", "people",
             "authority"),
        _act("26-5", "Article 26(5), monitoring by deployers", "The deployer monitors its operation", "monitored",
             "incidents-answered"),
        _act("26-6", "Article 26(6), logs of deployers",
             "The deployer keeps the logs that it controls for six months or more", "logs-kept"),
        _act("72", "Article 72, post-market monitoring", "Performance in service is collected and analysed by a plan",
             "monitored", "rules:performance", "rules:drift", "incidents-answered"),
        _act("annex-iv", "Article 11 and Annex IV, technical documentation",
             "The system, its data, measures, oversight and monitoring are documented; the card is a part of that",
             "documented"),
    ),
)  # fmt: skip

SR_26_2 = Framework(
    "sr-26-2",
    "US banking agencies, model risk management (SR 26-2)",
    ("sr-26-2", "sr-11-7"),
    "Interagency guidance of 17 April 2026 (Federal Reserve SR 26-2, OCC Bulletin 2026-13), which replaced SR 11-7; "
    "it sets no enforceable standard, and is meant for banks with more than 30 billion dollars in assets first. Judged "
    "for models whose card names the regime sr-26-2; generative and agentic models are outside its scope.",
    "Left out: conceptual soundness beyond that others reviewed it, roles of the board and of internal audit, risk of "
    "several models together. Numbers are those of its headings.",
    "https://www.federalreserve.gov/supervisionreg/srletters/SR2602.htm",
    (
        _sr("III", "Overview of Model Risk and Model Risk Management", "Rigour follows materiality", "tier"),
        _sr("IV.1", "Model Development", "Data and inputs are assessed", "data-declared", "rules:data-quality"),
        _sr("IV.2", "Model Use", "It is used for what it was made and approved for", "purpose", "approved"),
        _sr("V.1.a", "Conceptual Soundness", "Others than its developers challenge it", "independent-review"),
        _sr("V.1.b", "Outcomes Analysis", "Outputs are compared with what came true", "rules:performance"),
        _sr("V.2", "Ongoing Model Monitoring", "It is monitored against limits while it is used", "monitored",
            "rules:drift", "objectives"),
        _sr("VI.1", "Roles and Responsibilities", "Roles are assigned", "people", "authority"),
        _sr("VI.2", "Model Inventory", "There is an inventory of models", "inventory"),
        _sr("VI.3", "Documentation", "Models, their limits and changes are documented", "documented", "changes"),
        _sr("VII", "Vendor and Other Third-Party Products", "What others supply is managed as one's own",
            "third-parties"),
    ),
    excludes_generative=True,
)  # fmt: skip

FRAMEWORKS: tuple[Framework, ...] = (NIST, EU_AI_ACT, SR_26_2)
