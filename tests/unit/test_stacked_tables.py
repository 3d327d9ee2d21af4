"""Wide tables name the heading of each cell, so that a phone can show a row as a list."""

from __future__ import annotations

import re

from web.console.stacked_tables import with_headings

HEAD = "<thead><tr><th>甲</th><th class='n'>乙 <b>&amp;</b></th><th>丙</th><th>丁 \"x\"</th></tr></thead>"


def headings(rows: str) -> list[tuple[str, str]]:
    """What stands in each cell, and which heading it got."""
    page = with_headings(f"<p>before</p><table>{HEAD}{rows}</table><p>after</p>")
    return [(text, heading) for heading, text in re.findall(r'<t[dh] data-heading="([^"]*)"[^>]*>([^<]*)', page)]


def test_each_cell_gets_the_heading_of_its_column() -> None:
    """As text, whatever markup the heading has."""
    assert [("1", "甲"), ("2", "乙 &amp;"), ("3", "丙"), ("4", "丁 &quot;x&quot;")] == headings(
        "<tbody><tr><td>1</td><td class='n'>2</td><td>3</td><td>4</td></tr></tbody>"
    )


def test_a_cell_over_two_columns_pushes_the_others_on() -> None:
    """A row of totals begins with its name over several columns."""
    assert [("合计", "甲"), ("3", "丙"), ("4", "丁 &quot;x&quot;")] == headings(
        '<tfoot><tr><th colspan="2">合计</th><td>3</td><td>4</td></tr></tfoot>'
    )


def test_a_cell_over_two_rows_pushes_those_of_the_next_row_on() -> None:
    """And not those of the row after that."""
    rows = (
        '<tbody><tr><td rowspan="2">1</td><td>2</td><td>3</td><td rowspan="2">4</td></tr><tr><td>5</td><td>6</td></tr>'
        "<tr><td>7</td><td>8</td><td>9</td><td>0</td></tr></tbody>"
    )
    first = [("1", "甲"), ("2", "乙 &amp;"), ("3", "丙"), ("4", "丁 &quot;x&quot;")]
    then = [("5", "乙 &amp;"), ("6", "丙")]
    last = [("7", "甲"), ("8", "乙 &amp;"), ("9", "丙"), ("0", "丁 &quot;x&quot;")]
    assert first + then + last == headings(rows)


def test_a_narrow_table_and_the_rest_of_the_page_stay_as_they_are() -> None:
    """Three columns fit a phone; a page is changed in nothing else."""
    narrow = "<table><thead><tr><th>a</th><th>b</th><th>c</th></tr></thead><tbody><tr><td>1</td></tr></tbody></table>"
    page = f"<p>x</p>{narrow}<thead-like></thead-like><table><tbody><tr><td>1</td></tr></tbody></table>"
    assert page == with_headings(page)
    added = with_headings(f"{narrow}<table>{HEAD}<tbody><tr><td>1</td></tr></tbody></table>{narrow}")
    plain = re.sub(r' data-[a-z]+="[^"]*"', "", added)
    assert f"{narrow}<table>{HEAD}<tbody><tr><td>1</td></tr></tbody></table>{narrow}" == plain
    assert 1 == added.count("data-stacked")
