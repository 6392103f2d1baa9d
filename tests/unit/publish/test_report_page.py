"""The report's page: self-contained, escaped, tolerant of what is missing, silent about few people."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, date, datetime
from html.parser import HTMLParser

import pytest

from warehouse.publish.facts import (
    Coverage,
    FeedLoad,
    Linkage,
    NightSummary,
    OtherDelivery,
    Outcome,
    Outcomes,
    Publication,
    Reason,
    StageTime,
    TableLoad,
    Tally,
    YearRate,
)  # fmt: skip
from warehouse.publish.report.history import History, NightLoad, NightRules
from warehouse.publish.report.page import page

NIGHT = date(2026, 11, 2)
FIRST = date(2026, 11, 1)
MOMENT = datetime(2026, 11, 3, 1, 12, tzinfo=UTC)
EMPTY = NightSummary(NIGHT, None, (), (), Linkage(), Outcomes(), (), {})
ALLOWED_SCHEMES = ("#",)


def outcome(indicator: str, yes: int, no: int) -> Outcome:
    return Outcome(
        indicator,
        f"Outcome {indicator}",
        "<b>defined</b>",
        "",
        "",
        {"yes": Tally(yes, yes), "no": Tally(no, no), "not linked": Tally(2, 2)},
    )


@pytest.fixture(scope="module")
def full() -> str:
    reasons = (
        Reason("ndtms", "SEX in sex", "quarantine", "The code is <not> in the list & so on", 12, 400),
        Reason("ndtms", "PC", "warn", "Odd", 3, None),
    )
    metrics = {
        ("persons_total", "", ""): 9000.0,
        ("records", "police", ""): 700.0,
        ("records", "treatment", ""): 512.0,
        ("persons", "police", ""): 600.0,
    }
    metrics |= {("persons", "treatment", ""): 500.0, ("persons_in_both", "police", "treatment"): 3.0, ("clusters_of_1", "", ""): 8000.0}
    metrics |= {
        ("clusters_of_2", "", ""): 997.0,
        ("clusters_of_3", "", ""): 3.0,
        ("person_split", "", ""): 1.0,
        ("share_linked", "police", ""): 0.5,
    }
    metrics |= {("truth_named_pair_precision", "", ""): 0.98, ("truth_named_pair_recall", "", ""): 0.91, ("truth_baseline_named_pair_precision", "", ""): 0.9}
    years = tuple(YearRate("a", year, percent, percent - 2, percent + 2, 400, year < "2025") for year, percent in (("2024-25", 50.0), ("2025-26", 51.0)))
    summary = NightSummary(
        night=NIGHT,
        publication=Publication(NIGHT, "green", MOMENT),
        feeds=(
            FeedLoad(
                "treatment",
                "admitted",
                None,
                (TableLoad("ndtms", 407, 380, 15, 5, 7),),
                reasons,
                (OtherDelivery(8, NIGHT, "superseded", "replaced", 399), OtherDelivery(9, FIRST, "admitted", None, 1_234)),
            ),
            FeedLoad("police", "refused", "nominals.csv: no column <SEX>", (), ()),
            FeedLoad("housing", "no delivery", None, (), ()),
        ),
        coverage=(
            Coverage("treatment", NIGHT, NIGHT, date(2026, 11, 3), False, "on time"),
            Coverage("housing", None, None, None, True, "never delivered"),
            Coverage("police", FIRST, FIRST, date(2026, 10, 2), True, "nothing came <since>"),
        ),
        linkage=Linkage(metrics),
        outcomes=Outcomes((outcome("a", 61, 189), outcome("b", 3, 200)), years),
        stages=(
            StageTime("admit", "treatment", "ok", MOMENT, 12.5),
            StageTime("publish", None, "failed", MOMENT, 1.0),
            StageTime("link", None, "running", MOMENT, None),
        ),
        marts={"marts.dim_person": 9000},
        erased={"police": 12, "treatment": 3},
    )
    history = History(
        loads=(NightLoad(FIRST, "treatment", 40_000, 20), NightLoad(NIGHT, "treatment", 400, 15)),
        rules=(NightRules(FIRST, 20, 2), NightRules(NIGHT, 12, 3)),
        metrics={"person_split": {FIRST: 2.0, NIGHT: 1.0}},
        seconds={FIRST: 200.0, NIGHT: 13.5},
    )
    return page(summary, history)


class Elements(HTMLParser):
    """Collects the attributes of every element, and what is open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_nothing_is_loaded_from_anywhere(full: str) -> None:
    assert "http:" not in full
    assert "https:" not in full
    assert "@import" not in full
    elements = Elements(full).found
    assert {tag for tag, _ in elements} & {"script", "link", "img", "iframe", "object", "embed", "image", "use"} == set()
    for _, attributes in elements:
        for name in ("src", "href", "xlink:href", "srcset", "data", "action", "poster"):
            assert (attributes.get(name) or "#").startswith(ALLOWED_SCHEMES)
    assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)\)", full))


def test_text_is_escaped_and_ids_are_unique(full: str) -> None:
    assert "<b>defined</b>" not in full
    assert "&lt;b&gt;defined&lt;/b&gt;" in full
    assert "no column &lt;SEX&gt;" in full
    ids = Counter(attributes["id"] for _, attributes in Elements(full).found if "id" in attributes)
    assert [name for name, count in ids.items() if count > 1] == []


def test_every_chart_has_words_and_every_table_a_caption(full: str) -> None:
    elements = Elements(full).found
    charts = [attributes for tag, attributes in elements if attributes.get("class") == "chart"]
    assert len(charts) == len([tag for tag, _ in elements if tag == "figure"]) >= 9
    assert all(attributes.get("role") == "img" and len(attributes.get("aria-label") or "") > 20 for attributes in charts)
    assert full.count("<table>") == len([tag for tag, _ in elements if tag == "caption"])
    assert elements[[tag for tag, _ in elements].index("html")][1]["lang"] == "en-GB"


def test_few_people_are_not_told(full: str) -> None:
    words = re.sub(r"\s+", " ", re.sub(r"<style>.*?</style>", "", full, flags=re.S))
    row = re.search(r"Outcome b</th>(.*?)</tr>", words)
    assert row is not None
    cells = re.findall(r"<td[^>]*>(.*?)</td>", row.group(1))
    assert cells == ["", "", "fewer than 5", "withheld", "fewer than 5", "fewer than 5", "fewer than 5"]
    assert "police and treatment fewer than 5" in words
    assert "Outcome b" not in "".join(re.findall(r'aria-label="Latest rates[^"]*"', words))
    split = re.search(r"<caption>Changes of person ids by night</caption>(.*?)</table>", words)
    assert split is not None
    assert split.group(1).count("fewer than 5") == 2


def test_trouble_is_said(full: str) -> None:
    assert "police: the delivery is refused. nominals.csv" in full
    assert "housing: nothing was delivered" in full
    assert "1 of 3" in full
    assert "failed: publish" in full


def test_late_feeds_are_a_banner_and_a_table(full: str) -> None:
    words = " ".join(re.sub(r"<[^>]+>", " ", full).split())
    assert "Built without fresh data from housing, police: late against the agreed cadence" in words
    assert "police is late: nothing came &lt;since&gt;. Its events may still be on their way." in words
    assert "Feeds on time 1 of 3 late: housing, police" in words
    row = re.search(r'<th scope="row">police</th>(<td[^>]*>.*?</td>)</tr>', full.split("<caption>Coverage</caption>")[1])
    assert row is not None
    assert re.findall(r"<td[^>]*>(.*?)</td>", row.group(1)) == ["2026-11-01", "1", "2026-11-01", "2026-10-02", "nothing came &lt;since&gt;"]


def test_without_late_feeds_there_is_no_banner() -> None:
    on_time = NightSummary(NIGHT, None, (), (Coverage("police", NIGHT, NIGHT, FIRST, False, "on time"),), Linkage(), Outcomes(), (), {})
    text = page(on_time, History())
    assert "Built without fresh data" not in text
    assert "is late:" not in text


def test_late_and_replaced_deliveries_and_erasures_are_told(full: str) -> None:
    words = " ".join(re.sub(r"<[^>]+>", " ", full).split())
    assert "treatment delivery 8 was replaced by a corrected one 399 replaced" in words
    assert "treatment delivery 9 for 2026-11-01 came late and was put in its place 1,234" in words
    assert "treatment 380 admitted, 5 unchanged, 15 quarantined, 7 erased of 407" in full
    assert "at the request of the person or the agency: police 12, treatment fewer than 5." in words


def test_a_night_that_is_not_live_says_so() -> None:
    text = page(NightSummary(NIGHT, Publication(FIRST, "blue", MOMENT), (), (), Linkage(), Outcomes(), (), {}), History())
    assert "Not published: analysts see the night of 1 November 2026" in text


def test_an_empty_warehouse_has_a_report() -> None:
    text = page(EMPTY, History())
    assert "Nothing has been published yet" in text
    assert "The marts hold no outcomes yet" in text
    assert "Linkage recorded no measures" in text
