import base64
import hashlib
import inspect
import math
import random
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daneel import charts
from daneel.charts import BARS_WIDTH, Bar, BarChart, Cloud, HeatMap, Interval, Series, escape, ticks
from daneel.report import Figure, Footnote, Glossed, Mark, Page, Sample, TokenText

HOSTILE = (
    "\"'><script>alert(1)</script><img src=http://evil.test/x onerror=alert(1)></p></main></style>"
    "<svg onload=x><a href=javascript:x>&lt;b&gt;\x00\x1b[31m\u202e\ud800"
)
VOID = {"meta"}


class Parsed(HTMLParser):
    """Tags, attributes and text of a page; fails where an element is closed that is not open."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str, str]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data

    def all(self, name: str) -> list[str]:
        return [value for _, attribute, value in self.attributes if attribute == name]


def everything(text: str = "Words.") -> Page:
    """A page with one block of every kind, all of whose words are `text`."""
    page = Page(text, text, kind=text, lang=text)
    page.heading(text)
    page.paragraph(text)
    page.note(text)
    page.verdict(True, text, text)
    page.verdict(False, text, text)
    page.figures([Figure(text, text, text), Figure(text, text)])
    page.table([text, text], [(text, text)], text)
    page.pairs({text: text})
    page.curves([Series(text, [(0, 1), (1, 2)]), Series(text, [(0, 1), (1, 3)], dots=True)], text, text, text)
    page.intervals([Interval(text, 0.1, -0.1, 0.2), Interval(text, 0.1, 0.05, 0.2)], text, text)
    page.bars([BarChart(text, [Bar(text, 3), Bar(text, 0)], text), BarChart(text, [])])
    page.quote(text, [text, text], text)
    page.scatter([Cloud(text, [(text, 0, 1), (text, 2, 1)]), Cloud(text, [(text, 1, 5)])], text, text, text, text)
    page.tokens([TokenText(text, [text, "\n", " "], [3.0, 1.0, 0.1])], text)
    page.heat_maps([HeatMap(text, [text], [text], [[0.5]])], text)
    marks = [Mark(0, 2, 1), Mark(2, 4, 1)]
    page.glosses([Glossed(text, [(text, text)], text)], text)
    page.samples(text, [Sample(text, text, text, marks, marks)], text, text, text, [Footnote(text, text, text, text)])
    return page


def test_every_block_is_in_the_hostile_page():
    methods = {name for name, _ in inspect.getmembers(Page, inspect.isfunction) if not name.startswith("_")}
    body = inspect.getsource(everything)
    assert {name for name in methods if f"page.{name}(" not in body} == {"html"}


def test_hostile_text_is_inert_wherever_it_is_put():
    harmless, hostile = Parsed(everything().html()), Parsed(everything(HOSTILE).html())
    assert hostile.open == []
    assert hostile.tags == harmless.tags
    assert not hostile.tags & {"script", "img", "a", "link", "iframe", "object", "form", "base"}
    names = {name for _, name, _ in hostile.attributes}
    assert names == {name for _, name, _ in harmless.attributes}
    assert not names & {"href", "src", "style", "srcset", "action"}
    assert not any(name.startswith("on") for name in names)
    # Still there to be read, as text.
    assert hostile.text.count("<script>alert(1)</script>") >= 15


def test_nothing_invisible_reaches_the_page():
    page = everything(HOSTILE).html()
    assert page.encode()
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]", page)


def test_policy_forbids_all_but_the_style_sheet():
    page = everything().html()
    policy = next(v for v in Parsed(page).all("content") if "default-src" in v)
    style = re.search("<style>(.*?)</style>", page, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}';")
    assert "http:" not in page
    assert "https:" not in page
    assert "url(" not in style
    assert "@import" not in style


def bars(*rows: Bar) -> str:
    page = Page("p")
    page.bars([BarChart("c", rows)])
    return page.html()


def test_a_bar_is_as_long_as_its_value():
    widths = [
        float(width)
        for width in re.findall(r'class="fill" [^>]*width="([\d.]+)"', bars(Bar("a", 200), Bar("b", 50), Bar("c", 0)))
    ]
    assert widths[1] == pytest.approx(widths[0] / 4, abs=0.1)
    assert widths[2] == 0
    assert re.findall(r">([\d,]+)</text>", bars(Bar("a", 12345), Bar("b", 1))) == ["12,345", "1"]


def test_a_chart_without_rows_is_left_out():
    assert 'class="bars"' not in bars()
    assert 'beside"' not in bars()


@pytest.mark.parametrize("label", ["x" * 200, "灯" * 100, "灯塔", "a"])
def test_no_label_is_wider_than_its_room_and_bars_stay_inside(label):
    page = bars(Bar(label, 123456789), Bar("b", 1))
    shown = re.search(r'class="row end" [^>]*>(?:<title>(.*?)</title>)?(.*?)</text>', page)
    assert (shown[1] == label and shown[2].endswith("…")) if len(label) > 2 else shown[2] == label
    assert charts.text_width(shown[2]) <= BARS_WIDTH / 2
    start, width = (
        float(each) for each in re.search(r'class="fill" x="([\d.]+)" y="2" width="([\d.]+)"', page).groups()
    )
    assert start + width + charts.text_width("123,456,789") < BARS_WIDTH


@given(st.text(max_size=30), st.floats(12, 300))
def test_what_fits_is_a_beginning(text, width):
    shown = charts.fitting(text, width)
    assert charts.text_width(shown) <= width
    assert shown == text or text.startswith(shown.removesuffix("…"))


def test_a_quotation_keeps_its_paragraphs():
    page = Page("p")
    page.quote("灯塔", ["一\n二", "# three"], "zh")
    assert '<h3>灯塔</h3><blockquote lang="zh"><p>一\n二</p><p># three</p></blockquote>' in page.html()


def test_language_of_page_and_texts():
    page = Page("鲁迅", lang="zh-CN")
    page.samples("公元", [Sample("1", "一", "二")], "a", "b", lang="zh")
    assert Parsed(page.html()).all("lang") == ["zh-CN", "zh", "zh", "zh"]


@given(st.text(max_size=80))
def test_escaped_text_comes_back(text):
    inner = Parsed(f"<p>{escape(text)}</p>")
    assert inner.tags == {"p"}
    assert len(inner.text) == len(text)


PIECES = ["The", " lamp", " burned", ".", "\n\n", "公", "元", "  ", "<b>"]


def test_tokens_join_to_the_text_and_darken_with_surprise():
    bits = [0.5, 1.5, 3.0, 5.0, 7.0, 10.0, 20.0, 0.0, 0.0]
    page = Page("t")
    page.tokens([TokenText("before", PIECES, bits)])
    block = re.search('<p class="tokens">(.*?)</p>', page.html(), re.DOTALL)[1]
    parsed = Parsed(block)
    assert parsed.text == "".join(PIECES)
    assert [kind.split()[1] for kind in parsed.all("class")] == [
        "s0",
        "s1",
        "s2",
        "s3",
        "s4",
        "s5",
        "s6",
        "s0",
        "s0",
    ]
    hints = parsed.all("data-p")
    assert "p = 71 %" in hints[0]
    assert "p = 12 %" in hints[2]
    assert "p = 9.5e-05 %" in hints[6]
    assert "20.0 bits" in hints[6]
    assert "break" in parsed.all("class")[4]


@given(st.floats(-1e4, 1e4), st.floats(1e-3, 1e6))
def test_ticks_are_few_even_and_cover_the_range(low, span):
    marks = ticks(low, low + span)
    assert 2 <= len(marks) <= 9
    assert marks == sorted(marks)
    slack = (marks[1] - marks[0]) * 1e-6
    assert marks[0] <= low + slack
    assert marks[-1] >= low + span - slack


@pytest.mark.parametrize(("low", "high"), [(3.0, 3.0), (0.0, 0.0), (0.3, 0.1 + 0.2), (-2.0, -2.0)])
def test_ticks_of_a_single_value(low, high):
    marks = ticks(low, high)
    assert marks[0] <= low <= marks[-1]
    assert len(set(marks)) == len(marks) > 1


def _points(page: str) -> list[list[tuple[float, float]]]:
    lines = re.findall('class="line c. ?[a-z]*" points="([^"]*)"', page.split('class="legend"')[0])
    return [[tuple(map(float, p.split(","))) for p in line.split()] for line in lines]


def test_curves_stay_inside_and_fall_where_the_loss_falls():
    page = Page("t")
    page.curves([Series("loss", [(x, 4 - x / 10) for x in range(20)]), Series("held", [(10, 3.3)])], "step", "loss")
    first, second = _points(page.html())
    assert len(first) == 20
    assert len(second) == 1
    assert all(0 <= x <= charts.WIDTH and 0 <= y <= charts.HEIGHT for x, y in first)
    # Down on the page is a larger y.
    assert [y for _, y in first] == sorted(y for _, y in first)


def test_curves_leave_out_what_is_not_finite_and_thin_what_is_many():
    page = Page("t")
    many = [(x, math.sin(x / 900)) for x in range(10_000)]
    page.curves([Series("a", [(0, math.nan), (1, 2), (2, math.inf), (3, 4)]), Series("b", many)], "x", "y")
    a, b = _points(page.html())
    assert len(a) == 2
    assert 100 < len(b) <= charts.CURVE_POINTS
    assert "nan" not in page.html()


def test_curves_of_nothing_draw_an_empty_frame():
    page = Page("t")
    page.curves([Series("a", [])], "x", "y")
    assert _points(page.html()) == [[]]


def test_intervals_are_hollow_where_they_include_zero():
    page = Page("t")
    page.intervals(
        [Interval("yes", 0.2, 0.1, 0.3), Interval("no", 0.1, -0.1, 0.3), Interval("less", -1, -2, -0.5)], "u"
    )
    assert re.findall('class="dot ([a-z0-9]+)"', page.html()) == ["c0", "open", "c0"]
    assert "+0.200  [+0.100, +0.300]" in page.html()
    assert "−1.000  [−2.000, −0.500]" in page.html()
    assert 'class="zero"' in page.html()


def test_heat_map_leaves_small_cells_blank_and_names_the_others():
    page = Page("t")
    page.heat_maps([HeatMap("Layer 3", ["The", " year"], ["The", " year"], [[1.0, 0.0], [0.25, 0.004]])])
    assert re.findall('<rect class="(a.)"', page.html()) == ["a9", "a5"]
    assert "<title>year → The: 25 %</title>" in page.html()


def _boxes(page: str) -> list[tuple[float, float, float, float]]:
    """Label boxes with the width the page reckons with; letters are at least 5 px in any font of 12 px."""
    found = re.findall('<text class="c." x="([^"]*)" y="([^"]*)">([^<]*)<', page)
    return [(float(x), float(y) - 10, float(x) + 5 * len(text), float(y)) for x, y, text in found]


def test_scatter_labels_do_not_cover_each_other_and_none_is_lost():
    draw = random.Random(3)
    points = [(f"word{i}", draw.gauss(0, 1), draw.gauss(0, 1)) for i in range(150)]
    page = Page("t")
    hidden = page.scatter([Cloud("a", points[:80]), Cloud("b", points[80:])], "x", "y")
    boxes = _boxes(page.html())
    assert len(boxes) + len(hidden) == 150
    assert len(boxes) > 100
    for i, a in enumerate(boxes):
        assert 0 <= a[0] < a[2] <= charts.WIDTH
        assert not any(a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3] for b in boxes[:i])
    # Those without a label still say their name.
    assert all(f"<title>{name}</title>" in page.html() for name, _, _ in points)


def test_scatter_keeps_proportions_and_marks_groups():
    page = Page("t")
    page.scatter([Cloud(str(i), [("p", 10 * i, i)]) for i in range(7)], "x", "y", lang="zh")
    block = page.html().split('class="legend"')[0]
    marks = re.findall('<circle class="([a-z]+) (c.)" cx="([^"]*)" cy="([^"]*)"', block)
    assert [kind for kind, *_ in marks] == ["dot"] * 5 + ["ring"] * 2
    assert marks[5][1] == "c0"
    across, up = float(marks[1][2]) - float(marks[0][2]), float(marks[0][3]) - float(marks[1][3])
    assert across == pytest.approx(10 * up, abs=1)
    assert '<div class="scroll" lang="zh">' in block


def test_scatter_of_one_place():
    page = Page("t")
    assert page.scatter([Cloud("a", [("一", 1.0, 1.0)] * 2)], "x", "y") == []
    assert "nan" not in page.html()


@pytest.mark.parametrize("steps", [2_000])
def test_a_full_page_is_small(steps):
    page = Page("t")
    page.curves([Series("loss", [(x, 3.0) for x in range(steps)])], "step", "loss")
    page.tokens([TokenText("a", [" lamp"] * 600, [5.0] * 600)] * 2)
    names = ["token"] * 32
    page.heat_maps([HeatMap("l", names, names, [[0.5] * 32] * 32)] * 4)
    page.samples("p", [Sample("1", "word " * 200, "word " * 200)] * 5, "a", "b")
    assert len(page.html().encode()) < 1_000_000


def test_a_glossed_word_stands_above_its_gloss():
    page = Page("p")
    page.glosses([Glossed("kelan tis", [("kela-n", "ship-ACC"), ("tis", "see")], "She sees the ship.")], "art")
    html = page.html()
    assert '<span><i lang="art">kela-n</i><b>ship-ACC</b></span><span><i lang="art">tis</i><b>see</b></span>' in html
    assert '<p class="said" lang="art">kelan tis</p>' in html
    assert "‘She sees the ship.’" in html


def test_marked_parts_of_a_sample_keep_its_text_and_carry_their_footnote():
    page = Page("Page")
    notes = [Footnote("a.txt", "said ", "one <two>", " three"), Footnote("乙", "", "一二", "")]
    marks = [Mark(2, 11, 1), Mark(14, 16, 2)]
    sample = Sample("Seed 1", "x <y>", "a one <two> b 一二", (), marks)
    page.samples("Go", [sample], "l", "r", footnotes=notes)
    html = page.html()
    assert "<p>x &lt;y&gt;</p>" in html
    assert (
        '<p>a <mark class="copied" data-p="1: a.txt">one &lt;two&gt;</mark><sup>1</sup>'
        ' b <mark class="copied" data-p="2: 乙">一二</mark><sup>2</sup></p>'
    ) in html
    assert "<li><cite>a.txt</cite> <span>… said <mark>one &lt;two&gt;</mark> three …</span></li>" in html
    assert html.index("<li>") < html.index("乙</cite>")
