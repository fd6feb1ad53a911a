"""Writes docs/reference.md and man/falcon-bulk.1 from the commands as they are declared.

python tools/reference.py            write both
python tools/reference.py --check    write nothing; exit status 1 if one of them is not up to date
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from command_tree import Command, Option, commands, shared_options
from manual import manual

ROOT = Path(__file__).resolve().parents[1]
HEAD = """\
# Reference

<!-- Written by `make docs` from the commands themselves. Change their help, not this page. -->

All commands with their options, as `--help` has them. The same as a manual page: `man/falcon-bulk.1`.
"""


def reference() -> str:
    """The page: an index, the shared options, a section for each command."""
    described = list(commands())
    index = "".join(f"- [{command.name}](#{command.name.replace(' ', '-')})\n" for command in described)
    shared = "".join(_options(shared_options()))
    sections = "".join(part for command in described for part in _section(command))
    before = "Every command takes these, before or after its name. Two different values are an error."
    return f"{HEAD}\n{index}\n## Shared options\n\n{before}\n\n{shared}{sections}"


def _section(command: Command) -> Iterator[str]:
    yield f"\n## {command.name}\n\n    {command.usage}\n"
    yield from (f"\n{paragraph}\n" for paragraph in command.text)
    if command.options:
        yield "\n"
        yield from _options(command.options)
    if command.examples:
        yield "\n```sh\n"
        yield from (f"{line}\n" for line in command.examples)
        yield "```\n"


def _options(options: tuple[Option, ...]) -> Iterator[str]:
    return (f"- `{option.written}`: {option.does.replace('*', '&#42;')}\n" for option in options)


def main(words: list[str]) -> int:
    """Write the pages, or with --check say which differ; the exit status."""
    pages = {ROOT / "docs" / "reference.md": reference(), ROOT / "man" / "falcon-bulk.1": manual(ROOT)}
    old = [path for path, text in pages.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in old:
        if "--check" in words:
            print(f"{path.relative_to(ROOT)} is not up to date: run `make docs`.")
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(pages[path], encoding="utf-8")
    return int(bool(old) and "--check" in words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
