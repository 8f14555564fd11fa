"""When `make smoke` refuses a package."""

import pytest

from tests.smoke import LONGEST_IMPORT, Ratios


def test_a_package_whose_import_takes_too_long_is_refused() -> None:
    with pytest.raises(SystemExit, match=r"takes 1\.060 times as long .* may take 1\.05"):
        Ratios(app=1.06, first_call=1.2, sending=1.9).require_short_import()


def test_what_the_first_call_imports_is_not_part_of_a_cold_start() -> None:
    Ratios(app=LONGEST_IMPORT, first_call=1.5, sending=1.9).require_short_import()
