"""The tenant's switches: a choice wherever the real API's behaviour is unknown, and limits and latencies.

The default is what is harder on a client, except where public evidence supports the alternative.
"""

from typing import Annotated, Any, Literal, NamedTuple, get_args, get_type_hints

import msgspec
from msgspec import Meta

Region = Literal["us-1", "us-2", "us-3", "eu-1", "us-gov-1", "us-gov-2"]


def _help(text: str) -> Meta:
    return Meta(description=text)


class SwitchDescription(NamedTuple):
    """A switch with its default as it is typed; `choices` is empty where any number or text will do."""

    name: str
    default: str
    meaning: str
    choices: tuple[str, ...]


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _choices(type_: Any) -> tuple[str, ...]:
    return ("true", "false") if type_ is bool else tuple(map(_text, get_args(type_)))


class Switches(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The switches as plain attributes, which may be set while the server runs.

    Setting an unknown name raises AttributeError.
    """

    errors_when_none: Annotated[
        Literal["null", "empty", "absent"], _help("how an answer without errors shows `errors`")
    ] = "null"
    resources_when_none: Annotated[
        Literal["empty", "null", "absent"], _help("how a read that found nothing shows `resources`")
    ] = "empty"
    last_after: Annotated[Literal["empty", "absent"], _help("how combined shows `after` on its last page")] = "empty"
    partial_pages: Annotated[
        Literal["never", "once", "always"],
        _help("which reads answer 200 with errors[] beside half of the resources; once: the first of each endpoint"),
    ] = "never"
    partial_code: Annotated[int, _help("code in errors[] of a partial page")] = 500
    empty_page: Annotated[
        Literal["never", "last", "once", "always"],
        _help("when combined answers an empty page with `after`: at the end, once per `after`, or for any `after`"),
    ] = "never"
    after_seconds: Annotated[float, _help("how long an `after` lives; 0: for ever")] = 0.0
    after_expired: Annotated[Literal["404", "200"], _help("status of the answer to an expired `after`")] = "404"
    slow_page: Annotated[int, _help("reads of alerts with a larger limit, or more ids, are a 504; 0: none")] = 0
    combined_mode: Annotated[Literal["works", "missing_404", "refuse_403"], _help("whether combined is there")] = (
        "works"
    )
    failing_fields: Annotated[str, _help("fields, separated by spaces, that turn a filter into a 500")] = ""
    entities_max_ids: Annotated[int, _help("ids that entities takes; more are a 413")] = 1000
    patch_max_ids: Annotated[int, _help("ids that a PATCH takes; more are a 413")] = 1000
    url_limit: Annotated[int, _help("characters of a path with its query; more are a 414")] = 8192
    deprecation: Annotated[str, _help("text of the X-Api-Deprecation header of the alert endpoints; empty: none")] = ""
    window_error: Annotated[Literal[500, 400], _help("status of queries with offset+limit beyond 10,000")] = 500
    queries_max_limit: Annotated[int, _help("largest `limit` of queries; an older report has 1000")] = 10_000
    combined_hidden: Annotated[
        Literal["included", "omitted"], _help("whether combined returns alerts with show_in_ui false")
    ] = "included"
    unknown_field: Annotated[
        Literal["empty_filter", "empty_clause"], _help("what an unknown field in a filter makes empty")
    ] = "empty_filter"
    negation: Annotated[
        Literal["finds_missing", "needs_field"], _help("whether `!` with a value finds alerts without the field")
    ] = "finds_missing"
    entities_sha256: Annotated[
        Literal["matches", "no_match", "unknown_field"],
        _help("whether a filter on entities.sha256 finds anything"),
    ] = "matches"
    nested_hash_fields: Annotated[
        bool, _help("whether ioc_context/quarantined_files/associated_files.sha256 can be filtered")
    ] = False
    bare_mix: Annotated[
        Literal["and_first", "left_to_right", "refuse"], _help("how `+` and `,` without parentheses are read")
    ] = "and_first"
    time_precision: Annotated[Literal["ms", "ns"], _help("precision of times in the search index")] = "ms"
    index_lag: Annotated[float, _help("seconds until the search (queries, combined, aggregates) sees a change")] = 0.0
    unknown_id: Annotated[
        Literal["only_itself", "ignored", "batch_400", "batch_404"],
        _help("what an unknown id does to its PATCH"),
    ] = "only_itself"
    unknown_entity: Annotated[Literal["silent", "errors"], _help("whether entities names unknown ids in errors[]")] = (
        "silent"
    )
    bad_indicator: Annotated[
        Literal["refuses_all", "only_itself"], _help("what an indicator with a problem does to its creation")
    ] = "refuses_all"
    third_party_patch: Annotated[
        Literal["alone_500", "any_500", "works"],
        _help(
            "which PATCHes of third-party alerts take effect and answer 500: of nothing else, with any of them, none"
        ),
    ] = "alone_500"
    action_value: Annotated[
        Literal["bytes", "characters"], _help("what an action value must have less than 1024 of")
    ] = "bytes"
    count_no_ops: Annotated[bool, _help("whether resources_affected counts alerts that needed no change")] = False
    no_op_moves_updated: Annotated[bool, _help("whether a write without effect moves updated_timestamp")] = True
    closing_hides: Annotated[bool, _help("whether closing also sets show_in_ui false")] = False
    indicator_problems: Annotated[
        Literal["resources", "errors"], _help("where a refused creation names the problem of each indicator")
    ] = "resources"
    parent_indicators: Annotated[
        Literal["hidden", "shown"], _help("whether a child sees its parent's indicators without from_parent")
    ] = "hidden"
    child_names: Annotated[Literal["plain", "hostile"], _help("names of children in Flight Control")] = "plain"
    parent_sees_children: Annotated[bool, _help("whether the parent CID's token sees its children's alerts")] = True
    member_cid: Annotated[
        Literal["exact", "any_case"], _help("whether member_cid may have capitals and a checksum suffix")
    ] = "exact"
    scopes: Annotated[str, _help("scopes of the API client, separated by spaces")] = (
        "alerts:read alerts:write ioc:read ioc:write flight-control:read"
    )
    missing_scope: Annotated[
        Literal["scope_403", "authorization_403", "401"],
        _help("answer to a missing scope: 403 `scope not permitted`, 403 `authorization failed`, or as to a bad token"),
    ] = "scope_403"
    authorized: Annotated[bool, _help("whether calls are allowed at all; else 403 whatever the scopes")] = True
    region: Annotated[
        Literal[Region, "none"], _help("X-Cs-Region of every answer; none: no such header, as FalconPy follows it")
    ] = "us-1"
    login_region: Annotated[
        Literal[Region, "same"],
        _help("another region that a login names with its 201; its token is refused here"),
    ] = "same"
    ip_allowed: Annotated[bool, _help("whether the caller's address is on the tenant's allow-list")] = True
    wrong_secret: Annotated[Literal[403, 400], _help("status of a login with a wrong secret")] = 403
    clock_ahead: Annotated[float, _help("seconds by which the Date of answers is ahead of the machine's clock")] = 0.0
    token_seconds: Annotated[int, _help("how long a token lives")] = 1799
    rate_limit: Annotated[int, _help("requests a minute per CID")] = 6000
    rate_headers: Annotated[
        Literal["shown", "absent"], _help("whether answers have X-Ratelimit-Limit and -Remaining")
    ] = "shown"
    bad_token_limit: Annotated[int, _help("requests a minute per address without a valid token")] = 15
    token_limit: Annotated[int, _help("logins a minute per address")] = 300
    retry_after: Annotated[
        Literal["seconds", "milliseconds", "missing", "nonsense", "past"],
        _help("X-RateLimit-RetryAfter of a 429"),
    ] = "seconds"
    aggregates_mode: Annotated[
        Literal["correct", "refuse_500", "refuse_403", "undercount", "lower_case", "empty"],
        _help("how aggregates answers"),
    ] = "correct"
    minute_histogram: Annotated[
        Literal["opaque_500", "works"], _help("what date_histogram does with interval `minute`")
    ] = "opaque_500"
    aggregate_entities: Annotated[bool, _help("whether entities.sha256 can be aggregated")] = False
    aggregates_max_size: Annotated[int, _help("largest `size` of a terms aggregate")] = 1000
    aggregates_over_size: Annotated[
        Literal["refused", "lowered"], _help("whether a larger `size` is a 400, or answered as the largest")
    ] = "refused"
    sum_other: Annotated[Literal["shown", "absent"], _help("whether a terms aggregate has sum_other_doc_count")] = (
        "shown"
    )
    concurrency: Annotated[
        int, _help("requests worked on at a time: with more in flight, latencies grow in proportion; 0: any number")
    ] = 0
    latency_token: Annotated[float, _help("seconds before a login is answered")] = 0.0
    latency_queries: Annotated[float, _help("seconds before queries answers")] = 0.0
    latency_entities: Annotated[float, _help("seconds before entities answers")] = 0.0
    latency_combined: Annotated[float, _help("seconds before combined answers")] = 0.0
    latency_patch: Annotated[float, _help("seconds before a PATCH is answered")] = 0.0
    latency_aggregates: Annotated[float, _help("seconds before aggregates answers")] = 0.0
    latency_indicators: Annotated[float, _help("seconds before the IOC endpoints answer")] = 0.0
    latency_children: Annotated[float, _help("seconds before Flight Control answers")] = 0.0

    @classmethod
    def parse(cls, assignment: str) -> tuple[str, Any]:
        """Return the name and typed value of "NAME=VALUE".

        Raises ValueError for an unknown switch or an invalid value.
        """
        name, equals, text = assignment.partition("=")
        if not equals:
            raise ValueError(f"a switch is written NAME=VALUE, not {assignment!r}")
        return name, cls.value(name, text)

    @classmethod
    def of(cls, *assignments: str) -> "Switches":
        """Return the defaults, changed by "NAME=VALUE" assignments. Raises ValueError as `parse` does."""
        return cls(**dict(map(cls.parse, assignments)))

    @classmethod
    def value(cls, name: str, value: object) -> Any:
        """Convert `value` to the type of the switch `name`; text such as "true" or "500" is accepted.

        Raises ValueError for an unknown switch or an invalid value.
        """
        if name not in cls.__struct_fields__:
            raise ValueError(f"there is no switch {name!r}; there are: {', '.join(cls.__struct_fields__)}")
        wanted = get_type_hints(cls)[name]
        for choice in get_args(wanted):
            if value == str(choice):
                value = choice
        try:
            return msgspec.convert(value, wanted, strict=False)
        except msgspec.ValidationError:
            kind = " or ".join(map(str, get_args(wanted))) or wanted.__name__
            raise ValueError(f"switch {name} is {kind}, not {value!r}") from None

    @classmethod
    def describe(cls) -> list[SwitchDescription]:
        """Return the description of every switch, in order."""
        hints, types = get_type_hints(cls, include_extras=True), get_type_hints(cls)
        return [
            SwitchDescription(name, _text(default), hints[name].__metadata__[0].description, _choices(types[name]))
            for name, default in zip(cls.__struct_fields__, cls.__struct_defaults__, strict=True)
        ]
