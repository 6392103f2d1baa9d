"""The matched comparison: a known effect comes out of made-up people, small groups are refused, and who may be compared is who may be."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd
from scipy.stats import binom

from warehouse.products.matched_example import frames
from warehouse.products.matched_reoffending import BALANCE, COHORT_OF, RESULTS, estimate
from warehouse.publish.report.blocks import Figure, Note, Section
from warehouse.publish.report.products import matched_reoffending as report

if TYPE_CHECKING:
    from warehouse.products.product import Frames

NIGHT = date(2026, 11, 2)


def results(read: Frames, cohort: str = "known to police", cut: str = "adults") -> pd.DataFrame:
    """The rows of one question by measure."""
    found = estimate(read, NIGHT)[RESULTS.name]
    return found[(found["cohort"] == cohort) & (found["cut"] == cut)].set_index("measure")


def changed(read: Frames, **columns: Any) -> Frames:
    return {**read, "entries": read["entries"].assign(**columns)}


def notes(section: Section) -> list[str]:
    return [block.text for block in section.blocks if isinstance(block, Note)]


def test_intervals_hold_the_known_effect_as_often_as_they_say() -> None:
    """The plain comparison understates it: those treated had more behind them, and entered when more was proven."""
    runs, held, plain = 12, dict.fromkeys(COHORT_OF, 0), []
    for seed in range(runs):
        found = estimate(frames(seed, people=2_500), NIGHT)[RESULTS.name]
        for row in found[found["measure"] == "people who reoffended"].to_dict("records"):
            held[row["cohort"]] += row["difference_lower_95"] <= -10 <= row["difference_upper_95"]
            plain.append(row["treated_value"] - row["comparison_before_matching"])
    assert all(binom.cdf(number, runs, 0.95) > 0.001 for number in held.values()), held
    assert sum(plain) / len(plain) > -7


def test_matched_people_are_alike_and_counted() -> None:
    made = estimate(frames(1, people=10_000), NIGHT)
    share = made[RESULTS.name].iloc[0]
    assert share["note"] is None or pd.isna(share["note"])
    assert share["people_matched"] <= share["people_submitted"] < share["people_linked_to_police"] < share["people_starting"]
    assert 0 < share["people_with_event_treated"] < share["people_matched"]
    assert share["is_balanced"]
    balance = made[BALANCE.name]
    assert balance["difference_before"].max() > 0.3 > balance["difference_after"].abs().max()
    assert "Region: E12000002" in set(balance["title"])


def test_the_same_people_in_another_order_give_the_same_figures() -> None:
    read = frames(3, people=2_500)
    mixed = {**read, "entries": read["entries"].sample(frac=1, random_state=1)}
    pd.testing.assert_frame_equal(estimate(read, NIGHT)[RESULTS.name], estimate(mixed, NIGHT)[RESULTS.name])


def test_small_groups_are_refused_with_a_reason() -> None:
    found = results(frames(1, people=500))
    assert found["note"].tolist() == ["refused: fewer than 60 people"] * 3
    assert found["difference"].isna().all()
    assert found["people_submitted"].iloc[0] < 60


def test_nobody_to_read_gives_empty_tables() -> None:
    read = frames(1, people=500)
    made = estimate({**read, "entries": read["entries"].iloc[:0], "starters": read["starters"].iloc[:0]}, NIGHT)
    assert [set(frame.columns) for frame in made.values()] == [set(RESULTS.columns), set(BALANCE.columns)]
    assert all(frame.empty for frame in made.values())


def test_who_died_without_an_offence_is_left_out_and_counted() -> None:
    read = frames(1, people=2_500)
    dead = read["entries"]["reoffences"] == 0
    found = results(changed(read, is_dead_in_follow_up=dead & (read["entries"].index % 10 == 0)))
    assert found["people_died"].iloc[0] > 0
    assert found["people_submitted"].iloc[0] + found["people_died"].iloc[0] == (read["entries"]["exposure"] != "none").sum()


def test_a_person_treated_twice_counts_once_and_who_is_in_treatment_is_no_comparison() -> None:
    read = frames(1, people=2_500)
    twice = read["entries"].assign(entry_id="again" + read["entries"]["entry_id"], index_date=read["entries"]["index_date"] + pd.Timedelta(days=200))
    both = {**read, "entries": pd.concat([read["entries"], twice[twice["exposure"] != "none"]])}
    assert results(both)["people_submitted"].iloc[0] == results(read)["people_submitted"].iloc[0]
    none_left = results(changed(read, is_in_treatment=True))
    assert none_left["comparison_pool"].iloc[0] == 0
    assert none_left["note"].str.startswith("refused").all()


def test_young_people_are_compared_with_young_people_alone() -> None:
    read = frames(1, people=5_000)
    young = changed(read, is_under_18=read["entries"].index % 2 == 0)
    adults, under_18 = results(young), results(young, cut="under 18")
    assert adults["comparison_pool"].iloc[0] + under_18["comparison_pool"].iloc[0] == (read["entries"]["exposure"] == "none").sum()


def test_a_characteristic_only_one_side_has_leaves_its_people_out() -> None:
    """It would predict treatment perfectly, and no model could be fitted."""
    read = frames(1, people=2_500)
    entries = read["entries"]
    odd = (entries["exposure"] == "none") & (entries.index % 7 == 0)
    found = results(changed(read, sex=entries["sex"].where(~odd), recent_custody_nights=entries["recent_custody_nights"].where(~odd, 5_000)))
    assert found["difference"].notna().all()


def test_the_report_draws_the_example_and_says_what_may_be_said() -> None:
    section = report.example()
    assert sum(isinstance(block, Figure) for block in section.blocks) == 2
    said = " ".join(notes(section))
    assert "What may be said: starting treatment may decrease" in said
    assert "What may not be said" in said


def test_the_report_says_why_there_is_no_figure() -> None:
    rows = results(frames(1, people=500)).reset_index().assign(cohort_title="Known to police", is_suppressed=False).astype("object")
    refused = [{str(name): None if pd.isna(value) else value for name, value in row.items()} for row in rows.to_dict("records")]
    section = report.draw(refused, [])
    assert not any(isinstance(block, Figure) for block in section.blocks)
    assert any(note.startswith("Nothing may be concluded: fewer than 60 people") for note in notes(section))
    assert report.draw([], []).blocks
