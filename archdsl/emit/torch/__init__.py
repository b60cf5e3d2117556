"""PyTorch: a network as one standalone file that reads as if a person had written it.

The file is proved equal to the checked graph before anyone sees it; the in-memory module is that file executed. torch
is imported only to execute it.
"""
