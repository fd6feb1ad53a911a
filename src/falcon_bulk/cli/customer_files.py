"""Selects the customers' env files that a command is about, and asks for the values of a new one."""

import getpass
import os
import warnings
from pathlib import Path
from typing import NamedTuple

import click

from falcon_bulk.cli.console import Console, is_interactive
from falcon_bulk.cli.session import Session
from falcon_bulk.cli.signals import abort_prompt_on_signals
from falcon_bulk.config.customers import new_customer_file
from falcon_bulk.config.env_file import quote_value
from falcon_bulk.config.regions import CLOUDS
from falcon_bulk.config.settings import value_problem
from falcon_bulk.errors import BadEnvFile, UsageProblem
from falcon_bulk.model.customer import CustomerFile
from falcon_bulk.operations.customers import customer_files


class Question(NamedTuple):
    """A question for a value: its key in the env file, its setting, the prompt, and whether input is hidden.

    if_blank: asked once more after a blank answer; '' for a value that may be left out without a word.
    """

    key: str
    setting: str
    prompt: str
    hidden: bool = False
    if_blank: str = ""


QUESTIONS = (
    Question("FALCON_CLIENT_ID", "client_id", "Client ID:"),
    Question("FALCON_CLIENT_SECRET", "client_secret", "Client secret (not shown):", hidden=True),
    Question("FALCON_BASE_URL", "base_url", f"Region, {', '.join(CLOUDS)} or the API's URL [us-1]:"),
    Question(
        "FALCON_CID",
        "cids",
        "CID, commas between several [not checked]:",
        if_blank="Without it, credentials of another customer would go unnoticed. CID, or Enter again for none:",
    ),
    Question("FALCON_OPERATOR", "operator", "Operator, named in comments [login name]:"),
    Question("FALCON_TAGS", "tags", "Tags, commas between several [none]:"),
)


def customers_session(ctx: click.Context) -> Session:
    """Return the session of a command about the customers' files. Raises UsageProblem if one customer is named."""
    session = Session.open(ctx, "customers")
    if session.customers.is_named:
        raise UsageProblem(
            "--customer and --env-file do not go with `customers`.", "`falcon-bulk customers check NAME` checks one."
        )
    return session


def select_customer_files(session: Session, names: tuple[str, ...]) -> list[CustomerFile]:
    """Return the files of the named customers, else of --customer-tag, else all; a named one need not exist."""
    if names and session.customers.several:
        raise UsageProblem("Conflicting customer options.", "Use one of NAME, --customer-tag, --all-customers.")
    files = customer_files(session.customers.folder, os.environ)
    wanted = names or session.customers.several
    if not wanted:
        return files
    known = {file.customer: file for file in files}
    return [known.get(name) or _missing(session, name) for name in dict.fromkeys(wanted)]


def check_is_new(session: Session, name: str) -> None:
    """Raise UsageProblem for an invalid name or without a terminal, BadEnvFile if the customer's file exists."""
    new_customer_file(name, session.customers.folder)
    if not is_interactive():
        raise UsageProblem(
            "Cannot ask for values: not a terminal.",
            "Copy .env.example to the customer's file, mode 600, and fill it in.",
        )


def ask_for_values(console: Console) -> dict[str, str]:
    """Ask for the values of an env file, each until it is valid, and return those that are not blank.

    Raises Stopped on a signal, UsageProblem at the end of input.
    """
    values = {}
    with abort_prompt_on_signals("nothing was written"):
        for question in QUESTIONS:
            value = _ask(console, question)
            if not value and question.if_blank:
                value = _ask(console, question._replace(prompt=question.if_blank))
            if value:
                values[question.key] = value
    return values


def ask_to_test_login(console: Console, path: Path) -> bool:
    """Ask whether to log in with a new env file; the end of input is a no. Raises Stopped on a signal."""
    with abort_prompt_on_signals(f"{path} was written, the login was not tested"):
        while True:
            answer = console.ask("Test the login now? Nothing is changed. [Y/n]:")
            match answer.strip().lower() if answer is not None else "no":
                case "" | "y" | "yes":
                    return True
                case "n" | "no":
                    return False
            console.error("Answer yes or no.")


def _missing(session: Session, name: str) -> CustomerFile:
    path = session.customers.folder / f"{name}.env"
    return CustomerFile(customer=name, file=str(path), region="", cids=(), operator="", tags=(), problems=())


def _ask(console: Console, question: Question) -> str:
    while True:
        value = _read_answer(console, question)
        problem = value_problem(question.setting, question.key, value, os.environ)
        if not problem:
            try:
                quote_value(question.key, value)
                return value
            except BadEnvFile as error:
                problem = error.message
        console.error(problem)


def _read_answer(console: Console, question: Question) -> str:
    """Return the line typed; blanks around a secret are kept, since they may belong to it."""
    try:
        line = _read_hidden(question.prompt) if question.hidden else console.ask(question.prompt)
    except EOFError:
        line = None
    if line is None:
        raise UsageProblem("The input ended at the question; nothing was written.")
    return line if question.hidden else line.strip()


def _read_hidden(prompt: str) -> str:
    """Return a line typed without echo. Raises UsageProblem if the terminal cannot do that."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            return getpass.getpass(f"{prompt} ")
        except getpass.GetPassWarning:
            raise UsageProblem("This terminal cannot hide input; nothing was written.") from None
