"""The tables of a result, as cells; the terminal and the page lay them out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.result import Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table: the first column is text, the others are numbers."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def tables(result: Document) -> list[Table]:
    """Return the ratios, the medians and the growth."""
    return [_ratios(result), _medians(result), _growth(result)]


def verdict(one: Document) -> tuple[str, str]:
    """Return the bound and whether it was met; empty where there is none."""
    if one["bound"] is None:
        return "", ""
    return f"{one['bound']:.2f}", "met" if one["met"] else "missed"


def _ratios(result: Document) -> Table:
    labels = {name: subject["label"] for name, subject in result["subjects"].items()}
    return Table(
        title="Ratios, medians of the rounds' own",
        head=("over", "against", "wall", "CPU", "bound", ""),
        rows=tuple(
            (labels[one["name"]], labels[one["against"]], f"{one['wall']:.2f}", f"{one['cpu']:.2f}", *verdict(one))
            for one in result["ratios"]
        ),
    )


def _medians(result: Document) -> Table:
    return Table(
        title="Medians, milliseconds",
        head=("command", "wall", "CPU"),
        rows=tuple(
            (one["label"], f"{one['wall_ms']:.1f}", f"{one['cpu_ms']:.1f}") for one in result["subjects"].values()
        ),
    )


def _growth(result: Document) -> Table:
    return Table(
        title="Growth, milliseconds of one run at each size",
        head=("command", "of", "wall by size", "largest / smallest", "bound", ""),
        rows=tuple(
            (
                one["name"],
                one["unit"],
                ", ".join(f"{size}: {cost['wall_ms']:.1f}" for size, cost in one["points"].items()) + _stopped(one),
                f"{one['wall']:.2f}",
                *verdict(one),
            )
            for one in result["growth"]
        ),
    )


def _stopped(one: Document) -> str:
    return f" (ends there: {one['stopped']})" if one["stopped"] else ""


def as_text(table: Table) -> str:
    """Lay a table out for a terminal."""
    rows = [table.head, *table.rows]
    widths = [max(len(row[at]) for row in rows) for at in range(len(table.head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([table.title, *(f"  {line}" for line in lines)])


def as_markdown(table: Table) -> str:
    """Lay a table out for a page."""
    rows = ["| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |" for row in (table.head, *table.rows)]
    rule = "|" + "---|" * len(table.head)
    return "\n".join([f"### {table.title}", "", rows[0], rule, *rows[1:]])
