"""The proof of one text against one graph, for tests of both."""

from archdsl.emit.torch.verify import Case, verify
from archdsl.graph import Graph


def refusal(source: str, class_name: str, graph: Graph) -> str | None:
    """Why a text is not the network of a graph; None if it is proved."""
    failure = verify(source, class_name, [Case(graph)])
    return None if failure is None else str(failure)
