"""Rows of words as a table: plain text, or Markdown."""


def aligned(rows: list[list[str]]) -> str:
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if index == 0 else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def markdown(rows: list[list[str]]) -> str:
    header, *others = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([header, "|---|" + "--:|" * (len(rows[0]) - 1), *others])
