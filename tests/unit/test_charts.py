"""The drawing of charts: proportion, labels that can be read, and words for who cannot see them."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest

from handlers.charts.bar_rows import Bar, BarRow, bar_rows
from handlers.charts.chart_axis import Caption, Measure, lines_of, scale, width_of
from handlers.charts.time_columns import Series, time_columns, time_lines
from tests.support.svg import SVG, bars_of, drawing, labels_of, size, words_of

CAPTION = Caption("by-day", "每天的金额 <b>", "数字在下表。", "没有支付指令。")
YUAN = Measure("元", 2)
DAYS = [f"11-{day:02}" for day in range(1, 31)]
LONG = "self_pay_assistance · dibao_edge · 城乡居民大病补充保障"


def columns(*values: int) -> str:
    return time_columns(CAPTION, YUAN, DAYS[: len(values)], [Series("blue", values)])


def rows(*values: int, name: str = "滨湖") -> str:
    return bar_rows(CAPTION, YUAN, [BarRow(name, [Bar(value, "blue", YUAN.text(value))]) for value in values])


def all_kinds() -> list[str]:
    """Charts of the kinds and sizes that pages have."""
    three = [Series(colour, [day * factor for day in range(1, 31)]) for colour, factor in (("grey", 9), ("red", 7))]
    amounts = (39_224_056, 1_884_231, 3)
    return [
        columns(120_000),
        columns(500, -700, 123_456_789_00),
        time_columns(CAPTION, YUAN, DAYS, three),
        time_lines(CAPTION, Measure("10,000 yuan", 6), ["2024-11", "2024-12", "2025-01"], [Series("blue", [1, 5, 2])]),
        time_lines(
            CAPTION, YUAN, [f"{2000 + m // 12}-{m % 12 + 1:02}" for m in range(60)], [Series("grey", range(60))]
        ),
        rows(*amounts, name=LONG),
        rows(*amounts, *(-amount for amount in amounts)),
        rows(-5_000_000, -3),
        bar_rows(CAPTION, YUAN, [BarRow(LONG, [Bar(amount, "grey", YUAN.text(amount)) for amount in amounts])]),
    ]


def test_a_column_is_as_high_as_its_value() -> None:
    """Twice the amount is twice the height, to the pixel, and all stand on the same line."""
    bars = bars_of(columns(20_000, 40_000, 100_000))
    assert [30.0, 60.0, 150.0] == [round(bar.bottom - bar.top, 1) for bar in bars]
    assert 1 == len({round(bar.bottom, 1) for bar in bars})


def test_a_bar_is_as_long_as_its_value() -> None:
    """Between any two bars the lengths are as the amounts, to the pixel."""
    short, middle, long = (bar.right - bar.left for bar in bars_of(rows(25_000, 50_000, 100_000)))
    assert [2, 4] == [pytest.approx(middle / short, abs=0.01), pytest.approx(long / short, abs=0.01)]


def test_a_bar_ends_where_the_axis_says_so() -> None:
    """What is 400 yuan ends above the label 400 of the axis."""
    chart = rows(40_000)
    tick = next(label for label in labels_of(chart) if label.name == "400")
    assert bars_of(chart)[0].right == pytest.approx((tick.left + tick.right) / 2, abs=0.1)


def test_what_is_below_zero_goes_down() -> None:
    """It hangs from the line on which the others stand, and is red."""
    above, below = bars_of(columns(30_000, -10_000))
    assert above.bottom == pytest.approx(below.top, abs=0.02)
    assert ("blue", "red") == (above.name, below.name)
    assert above.bottom - above.top == pytest.approx(3 * (below.bottom - below.top), abs=0.1)


def test_what_is_below_zero_goes_to_the_left() -> None:
    """Its label stands beyond its end, not on it."""
    chart = rows(30_000, -10_000)
    above, below = bars_of(chart)
    assert above.left == pytest.approx(below.right, abs=0.02)
    label = next(each for each in labels_of(chart) if each.name == "-100.00")
    assert label.right < below.left


def test_a_step_begins_where_the_one_before_ended() -> None:
    """So a sum can be followed with the eye, whichever way a step goes."""
    steps = [Bar(90_000, "green", "", 0), Bar(50_000, "red", "-400.00", 90_000), Bar(50_000, "blue")]
    chart = bar_rows(CAPTION, YUAN, [BarRow("补助", [step]) for step in steps])
    first, second, total = bars_of(chart)
    assert first.right == second.right
    assert second.left == pytest.approx(total.right, abs=0.02)
    label = next(each for each in labels_of(chart) if each.name == "-400.00")
    assert label.left > second.right


def test_what_is_used_lies_upon_its_cap() -> None:
    """Both begin at zero, at the same height."""
    chart = bar_rows(CAPTION, YUAN, [BarRow("大病", [Bar(100_000, "pale"), Bar(25_000, "blue")])], overlaid=True)
    cap, used = bars_of(chart)
    assert (cap.left, cap.top, cap.bottom) == (used.left, used.top, used.bottom)
    assert cap.right - cap.left == pytest.approx(4 * (used.right - used.left), abs=0.1)


@pytest.mark.parametrize("number", range(9))
def test_no_label_lies_upon_another(number: int) -> None:
    """Nor upon a bar beside it, nor beyond the edge; long names go on in another line."""
    chart = all_kinds()[number]
    labels = labels_of(chart)
    assert [] == [(a.name, b.name) for a, b in combinations(labels, 2) if a.overlaps(b)]
    assert [] == [(a.name, b) for a in labels for b in bars_of(chart) if a.overlaps(b)]
    width, height = size(chart)
    outside = [a.name for a in labels if a.left < 0 or a.right > width or a.top < 0 or a.bottom > height + 1]
    assert [] == outside


def test_one_day_is_one_column_with_its_date() -> None:
    """From the first day on there is something to see; the column is not as wide as the page."""
    chart = columns(120_000)
    (bar,) = bars_of(chart)
    assert "11-01" in words_of(chart)
    date = next(label for label in labels_of(chart) if label.name == "11-01")
    assert (bar.left + bar.right) / 2 == pytest.approx((date.left + date.right) / 2, abs=0.1)
    assert bar.right - bar.left < 30


def test_one_month_is_one_dot() -> None:
    """A line needs two, and one is still seen."""
    chart = drawing(time_lines(CAPTION, YUAN, ["2024-03"], [Series("blue", [500])]))
    assert 1 == len(list(chart.iter(f"{SVG}circle")))


@pytest.mark.parametrize(
    "chart",
    [columns(0, 0), columns(), rows(0), rows(), time_lines(CAPTION, YUAN, [], [Series("blue", [])])],
    ids=["no amounts", "no days", "a bar of nothing", "no bars", "no months"],
)
def test_nothing_to_draw_is_said_in_words(chart: str) -> None:
    """Never an empty frame."""
    assert ["没有支付指令。"] == words_of(chart)
    assert [] == bars_of(chart)


def test_the_newest_day_always_has_its_name() -> None:
    """Where not all have room, some are left out, at equal distances, and the newest stays."""
    names = [word for word in words_of(columns(*range(1, 31))) if word.startswith("11-")]
    assert 3 < len(names) < 30
    assert "11-30" in names
    numbers = sorted(int(name[3:]) for name in names)
    assert 1 == len({later - earlier for earlier, later in pairwise(numbers)})


def test_a_chart_has_a_title_a_description_and_its_measure() -> None:
    """For who hears the page; texts from outside stay texts."""
    chart = drawing(columns(120_000))
    parts = {each.attrib["id"]: each.text for each in chart if "id" in each.attrib}
    assert "img" == chart.attrib["role"]
    assert ["每天的金额 <b>", "数字在下表。"] == [parts[name] for name in chart.attrib["aria-labelledby"].split()]
    assert "元" in words_of(columns(120_000))
    assert "元" in words_of(rows(120_000))


def test_a_chart_has_the_width_of_the_page_and_no_colours_of_its_own() -> None:
    """A phone shows all of it; the page's style sheet has the colours, also those for the dark."""
    for chart in all_kinds():
        assert {"xmlns", "class", "role", "viewBox", "aria-labelledby"} >= {
            name for name in drawing(chart).attrib if not name.startswith("{")
        }
        assert not {"style", "fill", "stroke"} & {name for each in drawing(chart).iter() for name in each.attrib}


@pytest.mark.parametrize(
    ("values", "expected"),
    [([7], [0, 2, 4, 6, 8]), ([-3, 9], [-5, 0, 5, 10]), ([-400], [-400, -300, -200, -100, 0]), ([1], [0, 1])],
)
def test_an_axis_counts_in_round_numbers(values: list[int], expected: list[int]) -> None:
    """Steps of 1, 2 or 5 times a power of ten, from zero or below to all of the values."""
    axis = scale(values, 0, 100)
    assert expected == list(range(axis.low, axis.high + 1, axis.step))


def test_an_amount_is_written_in_its_measure() -> None:
    """Fen in yuan and in 10,000 yuan, exactly, with as many places as asked for."""
    assert ("1,234.56", "12.345678", "12.35") == (
        YUAN.text(123_456),
        Measure("万元", 6).text(12_345_678),
        Measure("万元", 6).text(12_345_678, 2),
    )


def test_a_chinese_character_takes_the_room_of_two_letters() -> None:
    """Whichever font a reader has; the room of a label is a guess, and a generous one."""
    assert width_of("abcd") == width_of("滨湖")


def test_a_name_that_is_markup_stays_text() -> None:
    """An area may be called anything."""
    assert "<b>&" in words_of(rows(1, name="<b>&"))


def test_a_name_is_broken_at_a_space_where_there_is_one() -> None:
    """Nothing of it is lost, and no line is wider than its room."""
    lines = lines_of(LONG, 154)
    assert "".join(LONG.split()) == "".join("".join(lines).split())
    assert all(width_of(line) <= 154 for line in lines)
    assert "self_pay_assistance ·" == lines[0]
