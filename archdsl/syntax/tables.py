"""``python -m archdsl.syntax.tables``: write the grammar's LALR tables anew, after a change of the grammar."""

from __future__ import annotations

from pathlib import Path

from archdsl.syntax.parse import make_tables

if __name__ == "__main__":
    Path(__file__).with_name("grammar.json").write_text(make_tables(), encoding="utf-8")
