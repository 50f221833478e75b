import re

import pytest
from tests.docs.pages import ROOT

from vi.inference.structured.schema import ANNOTATIONS, ENFORCED, FORMATS, OUT_OF_REACH

PAGE = (ROOT / "docs" / "json-schema.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("row", "names"),
    [("Enforced", ENFORCED), ("Allowed", ANNOTATIONS), ("Refused", OUT_OF_REACH), ("Values of", FORMATS)],
)
def test_the_table_lists_what_the_code_has(row, names):
    (line,) = re.findall(rf"^\| {row}.*\| (.*) \|$", PAGE, flags=re.M)
    told = re.findall(r"`([^`]+)`", line)
    assert told == sorted(names)
