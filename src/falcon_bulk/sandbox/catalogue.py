"""The invented world of the tenant: detection patterns, programs, hosts and people. No real name stands here."""

from typing import NamedTuple


class Pattern(NamedTuple):
    """A detection pattern. `severity_name` is empty where the documents of its kind may lack it."""

    pattern_id: int
    name: str
    description: str
    tactic: str
    tactic_id: str
    technique: str
    technique_id: str
    severity: int
    severity_name: str


class Program(NamedTuple):
    """A process with its parents, as endpoint alerts show it."""

    platform: str
    filename: str
    folder: str
    arguments: str
    parent: str
    grandparent: str


def _pattern(row: str) -> Pattern:
    number, name, description, tactic, tactic_id, technique, technique_id, severity, severity_name = row.split("|")
    return Pattern(int(number), name, description, tactic, tactic_id, technique, technique_id,
                   int(severity), severity_name)


ENDPOINT = tuple(map(_pattern, """\
5761|MachineLearningPupLowest|This file meets the lowest-confidence threshold for unwanted software.|Machine Learning|CSTA0004|Adware/PUP|CST0000|30|Low
5708|MachineLearningFileHigh|This file meets the high-confidence threshold for malicious files.|Machine Learning|CSTA0004|Sensor-based ML|CST0007|70|High
5733|MachineLearningCloudMedium|A file written to the file system is similar to known malware.|Machine Learning|CSTA0004|Cloud-based ML|CST0008|50|Medium
10197|SuspiciousScriptDownload|A script interpreter fetched and ran code from the network.|Execution|TA0002|PowerShell|T1059.001|50|Medium
10321|EncodedCommandLine|A shell was started with an encoded command line.|Defense Evasion|TA0005|Obfuscated Files or Information|T1027|70|High
10417|CredentialStoreRead|A process read the memory of the credential service.|Credential Access|TA0006|LSASS Memory|T1003.001|90|Critical
10512|RemoteServiceCreated|A service was created from another host.|Lateral Movement|TA0008|SMB/Windows Admin Shares|T1021.002|70|High
10566|ScheduledTaskPersistence|A scheduled task starts a program from a temporary folder.|Persistence|TA0003|Scheduled Task|T1053.005|50|Medium
10601|ShadowCopiesDeleted|Volume shadow copies were deleted, as ransomware does.|Impact|TA0040|Inhibit System Recovery|T1490|90|Critical
20151|TestFileWritten|A process has written a known test file.|Execution|TA0002|User Execution|T1204|10|Informational
20446|DiscoveryBurst|Several discovery commands ran within a minute.|Discovery|TA0007|System Information Discovery|T1082|30|Low
20502|BrowserDataStaged|Browser profiles were packed into an archive.|Collection|TA0009|Archive Collected Data|T1560|50|Medium
20733|TunnelOpened|A tunnel to an address outside was opened.|Command and Control|TA0011|Protocol Tunneling|T1572|79|High
20810|AdwareInstaller|An installer bundles software that is often unwanted.|Falcon Intel|CSTA0005|Intelligence Indicator|CST0013|2|Informational
41004|CustomIndicatorHash|A file on the customer's own indicator list was seen.|Custom Intelligence|CSTA0005|Indicator of Compromise|CST0004|50|Medium
41009|CustomIndicatorPrevented|A file on the customer's block list was stopped.|Custom Intelligence|CSTA0005|Indicator of Compromise|CST0004|70|High""".splitlines()))

ON_DEMAND_SCAN = tuple(map(_pattern, """\
4005|OnDemandScanMLFileAnalysisMedium|A scan found a file that is similar to known malware.|Machine Learning|CSTA0004|Sensor-based ML|CST0007|50|Medium
4006|OnDemandScanMLFileAnalysisLow|A scan found a file that may be unwanted.|Machine Learning|CSTA0004|Adware/PUP|CST0000|30|Low
4007|OnDemandScanMLFileAnalysisHigh|A scan found a malicious file.|Machine Learning|CSTA0004|Sensor-based ML|CST0007|70|High""".splitlines()))

OVERWATCH = tuple(map(_pattern, """\
10304|HunterActivityHigh|A hunter marked this activity as malicious.|Falcon Overwatch|CSTA0006|Malicious Activity|CST0002|70|High
10303|HunterActivityCritical|A hunter marked this activity as an intrusion.|Falcon Overwatch|CSTA0006|Malicious Activity|CST0002|90|Critical""".splitlines()))

IDENTITY = tuple(map(_pattern, """\
51143|IdpPolicyIdentityVerificationDenied|A user denied a policy identity verification request|Credential Access|TA0006|Brute Force|T1110|79|High
51113|IdpEntityPrivilegeEscalationUser|A user received new privileges|Privilege Escalation|TA0004|Valid Accounts|T1078|2|
51121|IdpUnusualServiceAccess|A user used a service for the first time|Lateral Movement|TA0008|Remote Services|T1021|30|Low
51135|IdpStaleAccountUsed|An account unused for months was used|Initial Access|TA0001|Valid Accounts|T1078|50|Medium
51150|IdpForgedTicket|A forged ticket was seen|Credential Access|TA0006|Golden Ticket|T1558.001|90|Critical""".splitlines()))

CORRELATION = tuple(map(_pattern, """\
400000|UC1-InboundFromListedAddress|Inbound traffic from a listed address|Initial Access|TA0001|Exploit Public-Facing Application|T1190|30|Low
400000|UC2-ManyLoginsFailed|Many failed logins, then one that worked|Credential Access|TA0006|Password Guessing|T1110.001|50|Medium
400000|UC3-DataLeavesAtNight|Unusual amount of data sent out at night|Exfiltration|TA0010|Exfiltration Over Web Service|T1567|70|High""".splitlines()))

EXTENDED = tuple(map(_pattern, """\
300101|XdrFileAcrossHosts|The same file was seen on several hosts within an hour|Lateral Movement|TA0008|Lateral Tool Transfer|T1570|70|High
300102|XdrMailToProcess|A mail attachment led to a suspicious process|Initial Access|TA0001|Spearphishing Attachment|T1566.001|50|Medium
300103|XdrCloudKeyFromEndpoint|A cloud key from an endpoint was used elsewhere|Credential Access|TA0006|Unsecured Credentials|T1552|90|Critical""".splitlines()))

MOBILE = tuple(map(_pattern, """\
70011|AndroidAttestationFailed|The device failed its attestation|Insecure security posture|CSTA0009|Bad device settings|CST0024|90|Critical
70013|AndroidDeveloperMode|Developer mode is on|Insecure security posture|CSTA0009|Bad device settings|CST0024|30|Low""".splitlines()))

CLOUD = tuple(map(_pattern, """\
2036|Security group opened to the internet|A security group was changed to allow traffic from the internet.|Defense Evasion|TA0005|Disable or Modify Cloud Firewall|T1562.007|70|High
2041|Audit trail stopped|An audit trail was switched off.|Defense Evasion|TA0005|Disable Cloud Logs|T1562.008|90|Critical
2050|Access key created|An access key was created for another user.|Persistence|TA0003|Additional Cloud Credentials|T1098.001|50|Medium""".splitlines()))

THIRD_PARTY = tuple(map(_pattern, """\
500001|Mail gateway: attachment held|A mail gateway held an attachment|Initial Access|TA0001|Phishing|T1566|50|Medium
500002|Proxy: category blocked|A proxy blocked a category|Command and Control|TA0011|Web Protocols|T1071.001|10|Informational""".splitlines()))

SIGNAL = tuple(map(_pattern, """\
6002|WebServiceExecutesSuspiciousCommands|Activity under web server indicative of malicious webshell|Privilege Escalation|TA0004|Exploitation for Privilege Escalation|T1068|50|Medium
6017|ReconUnderWebService|A command for reconnaissance ran under a web service|Execution|TA0002|Exploitation for Client Execution|T1203|30|""".splitlines()))


def _program(row: str) -> Program:
    return Program(*row.split("|"))


PROGRAMS = tuple(map(_program, r"""Windows|powershell.exe|\Device\HarddiskVolume3\Windows\System32\WindowsPowerShell\v1.0|-NoProfile -ExecutionPolicy Bypass -File C:\Temp\update.ps1|explorer.exe|userinit.exe
Windows|cmd.exe|\Device\HarddiskVolume3\Windows\System32|/c "whoami /all & net group ""Domain Admins"" /domain"|services.exe|wininit.exe
Windows|rundll32.exe|\Device\HarddiskVolume3\Windows\System32|C:\Users\Public\helper.dll,Start|explorer.exe|userinit.exe
Windows|setup.exe|\Device\HarddiskVolume4\Users\Public\Downloads|/silent /norestart|chrome.exe|explorer.exe
Windows|invoice_viewer.exe|\Device\HarddiskVolume3\Users\Public\AppData\Local\Temp|--open invoice.pdf|outlook.exe|explorer.exe
Windows|wscript.exe|\Device\HarddiskVolume3\Windows\System32|"C:\Users\Public\order details.js"|winword.exe|explorer.exe
Windows|remote_helper.exe|\Device\HarddiskVolume3\Program Files\Globex Remote|--service|services.exe|wininit.exe
Windows|toolbar_installer.exe|\Device\HarddiskVolume3\Users\Public\Downloads|/S|msedge.exe|explorer.exe
Mac|cat|/bin|/Users/Shared/test.com|zsh|Terminal
Mac|installer|/Users/Shared/Downloads|-pkg helper.pkg -target /|Finder|launchd
Mac|osascript|/usr/bin|-e 'display dialog "Password"'|zsh|Terminal
Linux|ps|/usr/bin|-o pid --no-headers --ppid 652914|node|systemd
Linux|curl|/usr/bin|-s http://updates.example.net/run.sh|bash|crond
Linux|xmrig|/tmp/.cache|--donate-level 1 -o pool.example.net:3333|bash|sshd""".splitlines()))

SITES = ("ACC", "BLD", "FIN", "HQ", "LAB", "OPS", "PLT", "RND", "SRV", "WHS")
GIVEN_NAMES = ("ada", "bo", "cleo", "dara", "eli", "femi", "gus", "hana", "ivo", "june", "kofi", "lena", "milo", "nia",
               "otto", "pia", "quinn", "rosa", "sol", "tess", "uma", "vito", "wren", "yara", "zeno")
SURNAMES = ("acre", "birch", "cobb", "dale", "elm", "frost", "grove", "heath", "ives", "lark", "marsh", "nash", "oaks",
            "penn", "reed", "stone", "thorn", "vale", "webb", "yew")
OS_VERSIONS = {"Windows": ("Windows 11", "Windows 10", "Windows Server 2022"), "Mac": ("Sequoia (15)", "Sonoma (14)"),
               "Linux": ("Ubuntu 24.04", "Debian 12")}
PLATFORM_IDS = {"Windows": "0", "Mac": "1", "Linux": "3"}

COMMENTS = ("Looks like the new installer, asked the owner.", "Granted workflow; see the ticket for details.",
            "Known test by the red team.", "Confirmed: contained the host, re-imaged.", "Same as last week.")

HOSTILE = (
    "\x1b[31mred\x1b[0m\x07", "[red]not markup[/red] [/]", "[link=https://evil.example]click[/link]",
    "=HYPERLINK(\"https://evil.example\",\"open\")", "+1+cmd|' /C calc'!A0", "@SUM(1+1)*cmd|' /C calc'!A0", "-2+3",
    "\uff1dcmd|' /C calc'!A0", "  =1+1", "\t=1+1", "<script>alert(1)</script>", "<img src=x onerror=alert(1)>",
    "![x](https://evil.example/p.png)", "[a](javascript:alert(1))", "| a | b |\n|---|---|", "`rm -rf /` **bold** _x_",
    "invoice\u202efdp.exe", "\u2066hidden\u2069\u200b", "\x00nul\x08back\x7fdel", "\x9b31mC1", "line one\nline two\r\n",
    "'; DROP TABLE alerts; --", "x'+status:'closed", "back\\slash and \"quotes\"", "\u2028separator\u2029", "😀" * 20,
    "../../../../etc/passwd", "%s %d {0} ${HOME} $(id)", "a" * 600, "\ufeffbom",
)
