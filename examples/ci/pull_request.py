"""Writes what a pull request changes in its networks, as the body of a comment: ``python pull_request.py BODY.md``.

It reads the event of GitHub Actions (``GITHUB_EVENT_PATH``), lists the specs that differ between the base and the head
of the pull request, and writes what `archdsl diff` reports for each. The file is empty if no spec differs.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

MARK = "<!-- archdsl diff -->"
LONGEST = 60_000
"""Characters; GitHub refuses comments of more than 65,536."""


def main() -> None:
    event = json.loads(Path(os.environ["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
    request = event["pull_request"]
    base = _run("git", "merge-base", request["base"]["sha"], request["head"]["sha"]).strip()
    head = request["head"]["sha"]
    parts = [_of_file(base, head, path) for path in _specs(base, head)]
    body = "\n".join([MARK, "## Networks in this pull request", *parts]) if parts else ""
    if len(body) > LONGEST:
        body = body[:LONGEST].rsplit("\n", 1)[0] + "\n\n… and more: run `archdsl diff` to see all of it.\n"
    Path(sys.argv[1]).write_text(body, encoding="utf-8")


def _specs(base: str, head: str) -> list[str]:
    """The specs that are in both commits and differ."""
    command = ["git", "diff", "--name-only", "-z", "--no-renames", "--diff-filter=M", base, head, "--", "*.arch"]
    return [path for path in _run(*command).split("\0") if path]


def _of_file(base: str, head: str, path: str) -> str:
    command = ["archdsl", "diff", "--format", "markdown", "--", f"git:{base}:{path}", f"git:{head}:{path}"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    found = ran.stdout if ran.returncode == 0 else f"```\n{ran.stderr.replace('```', '')}\n```"
    return f"\n`{path.replace('`', '')}`\n\n{found}"


def _run(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    main()
