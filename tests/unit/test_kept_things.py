"""What a worker keeps by keys: made once, and the least recently used leaves when there are too many."""

from clients.connections import Kept


def test_the_least_recently_used_one_leaves() -> None:
    kept, made = Kept(most=2), list[str]()

    def use(name: str) -> None:
        def make() -> str:
            made.append(name)
            return name

        assert kept.get((name,), make) == name

    for name in ("a", "b", "a", "c", "a", "b"):
        use(name)
    assert made == ["a", "b", "c", "b"]
    assert [kept.held((name,), str) for name in ("a", "b", "c")] == ["a", "b", None]


def test_without_a_limit_none_leaves() -> None:
    kept = Kept()
    for number in range(5000):
        assert kept.get((number,), lambda n=number: n) == number  # type: ignore[misc]
    assert kept.held((0,), int) == 0
