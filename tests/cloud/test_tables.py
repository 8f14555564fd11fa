"""A table is a list that finds its records by key."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from local.cloud.world.tables import Table


@dataclass(eq=False)
class Row:
    """A record with one key."""

    key: int


ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(0, 3)),
        st.tuples(st.just("insert"), st.integers(0, 3)),
        st.tuples(st.just("remove"), st.integers(0, 9)),
        st.tuples(st.just("keep"), st.integers(0, 3)),
        st.tuples(st.just("cut"), st.integers(0, 3)),
        st.tuples(st.just("pop"), st.just(0)),
    )
)


@given(ACTIONS)
def test_it_stays_the_same_as_a_list(actions: list[tuple[str, int]]) -> None:
    table, rows = Table[Row](key=lambda row: row.key), list[Row]()
    for action, number in actions:
        made = Row(number)
        for each in (table, rows):
            if action == "append":
                each.append(made)
            elif action == "insert":
                each.insert(0, made)
            elif action == "remove" and number < len(each):
                each.remove(each[number])
            elif action == "keep":
                each[:] = [row for row in each if row.key != number]
            elif action == "cut":
                del each[:number]
            elif action == "pop" and each:
                each.pop()
    assert list(table) == rows
    for key in range(4):
        assert sorted(map(id, table.by("key", key))) == sorted(id(row) for row in rows if row.key == key)
    assert set(table.index_of("key")) == {row.key for row in rows}
