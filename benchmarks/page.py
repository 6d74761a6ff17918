"""Make the measured part of docs/explanation/performance.md, and its chart, from a result.

    python -m benchmarks.page build/bench.json

The result is kept beside the page, so that anybody can make the same page of it again.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.chart import Bar, bars
from benchmarks.rivals import whole_kubectl
from benchmarks.tables import as_markdown, tables

if TYPE_CHECKING:
    from benchmarks.result import Document

PAGE = Path(__file__).resolve().parent.parent / "docs" / "explanation" / "performance.md"
RESULT, CHART = PAGE.with_suffix(".json"), PAGE.with_suffix(".svg")
BEGIN, END = "<!-- measured: made by `make bench-page` -->\n", "<!-- end of measured -->\n"
TITLE = "kubectl get pods, wall time over the same command with an inline token"


def main() -> None:
    """Store the result, and write the page and the chart again."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("result", type=Path, help="what `python -m benchmarks --json FILE` wrote")
    result = json.loads(parser.parse_args().result.read_text(encoding="utf-8"))
    RESULT.write_text(json.dumps(result, separators=(",", ":")) + "\n", encoding="utf-8")
    CHART.write_text(chart(result), encoding="utf-8")
    PAGE.write_text(with_measured(PAGE.read_text(encoding="utf-8"), result), encoding="utf-8")


def with_measured(page: str, result: Document) -> str:
    """Return the page with this result between the marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + measured(result) + END + after


def measured(result: Document) -> str:
    """Return the tables of a result, and what it was measured on."""
    with_what = (
        f"Measured on {result['date']}: {result['system']} on {result['machine']}, {result['processors']} processors, "
        f"Python {result['python']}, kubectl {result['kubectl']},\nkubelogin {result['kubelogin']}; "
        f"{result['rounds']} rounds, of growth {result['growth_rounds']}; "
        f"load average {result['load_before']:.2f} before and {result['load_after']:.2f} after."
    )
    left_out = [f"Left out, {name}: {why}." for name, why in sorted(result["left_out"].items())]
    parts = [with_what, f"![{TITLE}]({CHART.name})", *map(as_markdown, tables(result)), *left_out]
    return "\n\n".join(parts) + "\n\n"


def chart(result: Document) -> str:
    """Draw every whole `kubectl get pods` against the one with an inline token, the quickest first."""
    subjects = result["subjects"]
    ratios = {one["name"]: one["wall"] for one in result["ratios"] if one["against"] == whole_kubectl.INLINE}
    rows = [
        Bar(label=_short(subjects[name]["label"]), value=wall, kind="rival" if "kubelogin" in name else "ours")
        for name, wall in sorted(ratios.items(), key=lambda item: item[1])
    ]
    return bars(TITLE, [Bar(label="inline token", value=1.0, kind="baseline"), *rows])


def _short(label: str) -> str:
    return label.removeprefix("kubectl get pods, ")


if __name__ == "__main__":
    main()
