"""The report of a fleet for auditors: what it says (overview, one_model), and how that is written (page, text)."""
