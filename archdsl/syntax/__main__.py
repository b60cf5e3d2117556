"""``python -m archdsl.syntax``: writes the parser's tables after a change of the grammar, or for a new Lark."""

from archdsl.syntax.grammar import write_tables

if __name__ == "__main__":
    write_tables()
