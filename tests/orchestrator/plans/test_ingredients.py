from __future__ import annotations

from pathlib import Path

from orchestrator.plans.digest import digest_of
from orchestrator.plans.ingredients import Ingredients, KeptIngredients

LISTING = [["a.jpg", 12, 5], ["b\udcff.jpg", 1, 2]]


def made_of(size: int) -> Ingredients:
    record = {
        "version": 2,
        "code": None,
        "params": {"size": size},
        "named_code": {},
        "paths": {"source": ["folder", "/photos", digest_of(LISTING)]},
    }
    return Ingredients(record, {digest_of(LISTING): LISTING})


def test_what_was_kept_is_read_again_whatever_bytes_a_name_has(tmp_path: Path) -> None:
    kept = KeptIngredients(tmp_path / "keys")
    kept.keep([made_of(128), made_of(224)])
    assert kept.record(made_of(128).key) == made_of(128).record
    assert kept.detail(digest_of(LISTING)) == LISTING
    assert len([*(tmp_path / "keys").iterdir()]) == 3, "the listing of both is kept once"


def test_a_damaged_file_is_no_file(tmp_path: Path) -> None:
    kept = KeptIngredients(tmp_path)
    one = made_of(128)
    kept.keep([one])
    path = tmp_path / f"{one.key}.json.gz"
    path.write_bytes(path.read_bytes()[:-9])
    assert kept.record(one.key) is None
    other = tmp_path / f"{digest_of(LISTING)}.json.gz"
    path.write_bytes(other.read_bytes())
    assert kept.record(one.key) is None, "whole, and of something else"


def test_a_folder_that_cannot_be_written_costs_words_only(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("a file")
    kept = KeptIngredients(tmp_path / "keys")
    kept.keep([made_of(128)])
    assert kept.record(made_of(128).key) is None


def test_what_no_key_needs_any_more_is_forgotten(tmp_path: Path) -> None:
    kept = KeptIngredients(tmp_path)
    kept.keep([made_of(128), made_of(224)])
    assert kept.forget_all_but([made_of(128).key]) > 0
    assert kept.record(made_of(224).key) is None
    assert kept.record(made_of(128).key) is not None
    assert kept.detail(digest_of(LISTING)) == LISTING
    kept.forget_all_but([])
    assert [*tmp_path.glob("*.json.gz")] == []
