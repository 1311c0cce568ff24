from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from daneel.cli.terminal import column, line, plain


def test_lines_and_tabs_stay_and_orders_go():
    assert plain("灯\t塔\n\x1b[31m\x9b\u202e") == "灯\t塔\n�[31m��"
    assert line(" a\r\n\n b\x00") == " a b�"


@given(st.text(st.sampled_from("ab灯塔 \n\x1b"), max_size=30), st.integers(2, 20))
def test_a_column_is_so_wide(text, width):
    assert cell_len(column(text, width)) == width
