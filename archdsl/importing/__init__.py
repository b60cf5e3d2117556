"""Import: from a network that runs in PyTorch to the text of a spec, proved equal to it. See ``docs/import.md``.

The passes, each on the values of those before it:

1. ``sources/`` runs the network and records its calls (``calls.py``); the only files that know torch.
2. ``lowering.py`` turns functions into operators, by inverting what the operators say of themselves in torch
   (``facets.py``), and views into axis patterns (``layout.py``).
3. ``tidying.py`` and ``ownership.py`` drop what does nothing, and put each layer where the text can declare it.
4. ``flow.py`` turns the values of each scope into chains and branches: a tree of text (``tree.py``).
5. ``blocks.py`` makes a block of each class (``unify.py``, ``parameters.py``), and ``loops.py`` loops of repeats.
6. ``write.py`` prints, and ``sources/proof.py`` proves the result.
"""
