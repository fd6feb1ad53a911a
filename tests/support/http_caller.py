"""Calls a tenant by plain HTTP, without the client."""

from typing import Any

import requests

from falcon_emulator import Server, Tenant

QUERIES = "/alerts/queries/alerts/v2"
ENTITIES = "/alerts/entities/alerts/v2"
COMBINED = "/alerts/combined/alerts/v1"
PATCH = "/alerts/entities/alerts/v3"
AGGREGATES = "/alerts/aggregates/alerts/v2"


class Caller:
    """A session with a tenant, logged in unless `login` is False."""

    def __init__(self, server: Server, tenant: Tenant, *, login: bool = True, member_cid: str = "") -> None:
        self.server = server
        self.tenant = tenant
        self.url = server.urls[server.tenants.index(tenant)]
        self.session = requests.Session()
        if login:
            self.use(self.login(member_cid=member_cid).json()["access_token"])

    def use(self, token: str) -> None:
        self.session.headers["Authorization"] = f"Bearer {token}"

    def login(self, **form: str) -> requests.Response:
        credentials = {"client_id": self.tenant.client_id, "client_secret": self.tenant.client_secret}
        return self.send("POST", "/oauth2/token", data=credentials | form)

    def send(self, method: str, path: str, **more: Any) -> requests.Response:
        return self.session.request(method, self.url + path, timeout=60, allow_redirects=False, **more)

    def query(self, filter: str = "", **params: Any) -> requests.Response:  # noqa: A002  the parameter's name
        return self.send("GET", QUERIES, params={"filter": filter} | params)

    def ids(self, filter: str = "", limit: int = 10_000) -> list[str]:  # noqa: A002
        answer = self.query(filter, limit=limit)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["resources"])

    def entities(self, ids: list[str], **params: Any) -> requests.Response:
        return self.send("POST", ENTITIES, json={"composite_ids": ids}, params=params)

    def document(self, composite_id: str) -> dict[str, Any]:
        (found,) = self.entities([composite_id]).json()["resources"]
        return dict(found)

    def combined(self, **body: Any) -> requests.Response:
        return self.send("POST", COMBINED, json=body)

    def patch(self, ids: list[str], *actions: tuple[str, Any], **params: Any) -> requests.Response:
        parameters = [{"name": name, "value": value} for name, value in actions]
        body = {"composite_ids": ids, "action_parameters": parameters}
        return self.send("PATCH", PATCH, json=body, params=params)

    def control(self, method: str, name: str, body: Any = None) -> requests.Response:
        return self.send(method, f"/emulator/{name}", json=body)


def message(answer: requests.Response) -> str:
    """Return the text of the first error."""
    return str(answer.json()["errors"][0]["message"])


def affected(answer: requests.Response) -> int:
    """Return how many alerts a PATCH says it changed."""
    return int(answer.json()["meta"]["writes"]["resources_affected"])
