"""The language server: what an editor shows of a spec while it is written (``archdsl lsp``).

The compiler knows no editor, and this room knows nothing of networks: it asks the compiler, and says the answer in the
Language Server Protocol.
"""
