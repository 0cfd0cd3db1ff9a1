"""Text in the cells of a CSV, which spreadsheets must not take for formulas."""

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def text_cell(text: str) -> str:
    """Return a text as a cell: after an apostrophe if a spreadsheet would compute it.

    Names of folders, classes and metrics are untrusted. Source: OWASP, CSV injection.
    """
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
