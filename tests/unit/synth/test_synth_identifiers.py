"""Names, ids and their errors."""

from __future__ import annotations

import re
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from warehouse.synth.arrays import calendar, day_number
from warehouse.synth.crime import offence_kinds
from warehouse.synth.geography import REGION_ORDER, all_areas, country
from warehouse.synth.identity import wrong_births
from warehouse.synth.ids import insurance_numbers, pnc_ids, scrambled
from warehouse.synth.names import ORIGINS, name_tables
from warehouse.synth.offence_groups import offence_groups
from warehouse.synth.rates import CERTAINTIES, all_rates
from warehouse.synth.typing_errors import LONGEST, slip


def test_insurance_numbers_are_well_formed_and_never_shared() -> None:
    numbers = insurance_numbers(np.arange(100_000)).to_pylist()
    assert len(set(numbers)) == 100_000
    assert all(re.fullmatch(r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][0-9]{6}[A-D]", n) for n in numbers)
    assert not [n for n in numbers if n[:2] in {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"}]


def test_police_ids_carry_their_check_letter() -> None:
    made = np.full(50_000, day_number(date(2009, 5, 1)))
    ids = pnc_ids(np.arange(50_000), made).to_pylist()
    assert len(set(ids)) == 50_000
    letters = "ZABCDEFGHJKLMNPQRTUVWXY"
    assert all(letters[(int(i[2:4]) * 10_000_000 + int(i[5:12])) % 23] == i[12] for i in ids)


def test_agency_numbers_are_one_to_one_and_out_of_order() -> None:
    numbers = scrambled(np.arange(200_000), 1)
    assert len(np.unique(numbers)) == 200_000
    assert abs(np.corrcoef(np.arange(200_000), numbers)[0, 1]) < 0.02


def test_a_slip_changes_a_name_a_little() -> None:
    names = pa.array(["Margaret", "O'Brien", "Ng", "Al", "Featherstonehaugh"] * 2_000)
    slipped = slip(np.random.default_rng(1), names)
    changed = pc.sum(pc.not_equal(names, slipped)).as_py() / len(names)
    assert changed > 0.85  # swapping two equal letters changes nothing
    difference = np.abs(np.asarray(pc.utf8_length(slipped)) - np.asarray(pc.utf8_length(names)))
    assert difference.max() <= 1
    same_initial = pc.mean(pc.equal(pc.utf8_slice_codeunits(names, 0, 1), pc.utf8_slice_codeunits(slipped, 0, 1))).as_py()
    assert same_initial > 0.8


def test_wrong_births_come_at_their_rates() -> None:
    born = np.random.default_rng(2).integers(day_number(date(1950, 1, 1)), 12_000, 200_000)
    rates = {"dob_digit": 0.02, "dob_swapped": 0.02, "dob_first_january": 0.03}
    written, wrong = wrong_births(np.random.default_rng(3), born, rates)
    assert 0.045 < wrong.mean() < 0.07
    assert (written[~wrong] == born[~wrong]).all()
    _, month, day = calendar(written[wrong])
    assert 0.4 < ((month == 1) & (day == 1)).mean() < 0.6


def test_names_fit_the_error_model() -> None:
    tables = name_tables()
    longest = max(pc.max(pc.utf8_length(texts)).as_py() for texts in (tables.forenames, tables.surnames))
    assert longest <= LONGEST
    for texts in (tables.forenames, tables.surnames):
        assert all(re.fullmatch(r"[A-Z][A-Za-z'-]+", name) for name in texts.to_pylist())
    assert set(tables.surname_pools) == set(range(len(ORIGINS)))


def test_common_names_are_as_common_as_they_should_be() -> None:
    tables = name_tables()
    rng = np.random.default_rng(4)
    drawn = tables.surname_pools[0].draw(rng, 100_000)
    smith = tables.surnames.to_pylist().index("Smith")
    assert 0.008 < (drawn == smith).mean() < 0.016


def test_offence_codes_are_in_the_reference_list() -> None:
    assert len(offence_groups()) == len(offence_kinds().ho_class)


def test_areas_are_whole_and_known() -> None:
    areas = all_areas()
    assert [a.partnership for a in areas[:4]] == ["A09B", "A10B", "A11B", "A12B"]
    assert {a.region for a in areas} == set(REGION_ORDER)
    assert all(re.fullmatch(r"[A-Z][0-9]{2}B", a.partnership) and re.fullmatch(r"E23[0-9]{6}", a.force) for a in areas)


def test_sectors_are_well_formed_and_belong_to_one_area() -> None:
    for people, density in ((20_000, 1.0), (20_000, 500.0), (1_000_000, 10.0)):
        land = country(people, density, 2_000, 3_000, 12)
        assert len(set(land.sectors)) == len(land.sectors) == land.sector_count.sum()
        assert all(re.fullmatch(r"[A-Z]{1,2}[0-9]{1,2} [0-9]", sector) for sector in land.sectors)


def test_every_rate_says_where_it_comes_from() -> None:
    for name, rate in all_rates().items():
        assert rate.certainty in CERTAINTIES, name
        assert len(rate.source) > 10, name
