"""Numbers with their nouns."""


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun: `1 alert`, `2,000 alerts`. noun: in the singular. plural: by default with an s."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"
