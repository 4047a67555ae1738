"""One trace as a tree for people."""

from rich.tree import Tree

from sangkien.api.ops.v1 import ops_pb2
from sangkien.console.operations import children_of

_COLOURS = ("cyan", "green", "yellow", "magenta", "blue", "red", "white", "bright_cyan")


def trace_tree(spans: list[ops_pb2.Span]) -> Tree:
    """The spans of one trace as a tree: who did what, when it began after the first, how long it took."""
    tree = children_of(spans)
    colours = {s: _COLOURS[i % len(_COLOURS)] for i, s in enumerate(sorted({span.service for span in spans}))}
    began = spans[0].start_ns if spans else 0
    root = Tree(f"{len(spans)} bước, {len(colours)} dịch vụ · spans, services")

    def grow(branch: Tree, parent_id: str) -> None:
        for span in tree.get(parent_id, ()):
            colour = colours[span.service]
            mark = "" if span.status == "ok" else f" [red]{span.status}[/red]"
            text = (
                f"[{colour}]{span.service}[/{colour}] {span.name}{mark} "
                f"[dim]+{(span.start_ns - began) / 1e6:,.0f} ms, {span.duration_ns / 1e6:,.1f} ms[/dim]"
            )
            grow(branch.add(text), span.span_id)

    grow(root, "")
    return root
