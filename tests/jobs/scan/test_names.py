from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jobs.scan.names import names_like, short_names
from jobs.scan.template import fill, template_columns

PATHS = st.lists(
    st.from_regex(r"([ab]/){0,2}[ab](\.[ab])?\.(jpg|png)", fullmatch=True), unique=True
)


def test_a_name_is_the_file_without_suffix_where_that_is_unique() -> None:
    paths = ["hat/1.jpg", "hat/2.jpg", "shoe/2.jpg", "shoe/3.jpg", "shoe/3.png"]
    assert short_names(paths) == ["1", "hat/2", "shoe/2", "shoe/3.jpg", "shoe/3.png"]


@given(PATHS)
def test_no_two_pictures_have_one_name(paths: list[str]) -> None:
    names = short_names(paths)
    assert len(names) == len(paths)
    assert all(names)
    clashes = {name for name in names if names.count(name) > 1}
    assert clashes == set()


def test_names_are_made_in_the_way_a_submission_does() -> None:
    paths = ["test/a.jpg", "test/b.jpg"]
    assert names_like(paths, {"a", "b"}) == ["a", "b"]
    assert names_like(paths, {"a.jpg", "b.jpg"}) == ["a.jpg", "b.jpg"]
    assert names_like(paths, {"test/a", "x"}) == ["test/a", "test/b"]
    assert names_like(paths, {"test/b.jpg"}) == paths
    assert names_like(paths, {"c"}) is None


def test_a_template_takes_cells_and_their_letters() -> None:
    template = "{id[0]}/{id[1]}/{id}.{kind}"
    assert template_columns(template) == ("id", "kind")
    assert fill(template, {"id": "ab12", "kind": "jpg"}) == "a/b/ab12.jpg"
    assert fill(template, {"id": "a", "kind": "jpg"}) == ""
    assert fill(template, {"id": "ab", "kind": ""}) == ""
