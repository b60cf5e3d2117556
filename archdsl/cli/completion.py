"""``archdsl completion``: the script that completes commands, options and specs in a shell."""

from __future__ import annotations

import argparse

SHELLS = ("bash", "zsh", "fish", "powershell")
EPILOG = """\
Add the line of your shell to its start-up file:

  ~/.bashrc                     eval "$(archdsl completion bash)"
  ~/.zshrc, after compinit      eval "$(archdsl completion zsh)"
  ~/.config/fish/config.fish    archdsl completion fish | source
  $PROFILE of PowerShell        archdsl completion powershell | Out-String |
                                Invoke-Expression"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help=", ".join(SHELLS))
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG


def run(args: argparse.Namespace) -> int:
    from argcomplete.shell_integration import shellcode

    print(shellcode(["archdsl"], shell=args.shell))
    return 0
