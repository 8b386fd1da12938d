"""Who gets in: logins and requests without a session, in the scenario's manner."""

from evidenced.simulator.call import Call
from evidenced.simulator.codes import Code, Denied
from evidenced.simulator.dialect import Dialect
from evidenced.simulator.exchange import XML, Reply, Request, page
from evidenced.simulator.node import BadXml, Node, parse
from evidenced.simulator.order import BODY_LIMIT
from evidenced.simulator.scenario import Scenario
from evidenced.simulator.sessions import Sessions, is_login


class Gate:
    def __init__(
        self, scenario: Scenario, dialect: Dialect, sessions: Sessions
    ) -> None:
        self._login = scenario.login
        self._session = scenario.session
        self._dialect = dialect
        self._sessions = sessions

    @staticmethod
    def is_xml(request: Request) -> bool:
        """Strict: a body is text/xml or application/xml, and says so."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip()
        return kind.lower() in {"text/xml", "application/xml"}

    def login(self, call: Call) -> Reply:
        """A session for who may have one, else a refusal.

        Raises:
            Denied: -18: no login document.
        """
        if call.request.method != "POST":
            return page(405, "Method Not Allowed")
        if not self.is_xml(call.request):
            return page(415, "Unsupported Media Type")
        if not is_login(_document(call.request.body), self._login, call.own_now):
            return self._failed(call)
        key = self._sessions.open(call.elapsed)
        if key is None:
            return self._failed(call)
        call.session, call.code = key, self._dialect.success
        return self._opened(key)

    def refuse(self, call: Call) -> Reply:
        """What a request without a valid session gets."""
        match self._session.expiry:
            case "401":
                return page(401, "Unauthorized")
            case "403":
                return page(403, "Forbidden")
            case "302":
                moved = page(302, "Found")
                location = ("Location", "/login.html")
                return Reply(
                    status=302, headers=(*moved.headers, location), body=moved.body
                )
            case "html":
                return page(200, "Please log in")
            case "code":
                return self._coded(call, self._session.expiry_code)

    def _failed(self, call: Call) -> Reply:
        match self._login.failure:
            case "401":
                return page(401, "Unauthorized")
            case "403":
                return page(403, "Forbidden")
            case "html":
                return page(200, "Login failed")
            case "no-key":
                return self._coded(call, self._dialect.success)
            case "code":
                return self._coded(call, self._login.failure_code)

    def _coded(self, call: Call, code: int) -> Reply:
        call.code = code
        return Reply(body=self._dialect.result(code))

    def _opened(self, key: str) -> Reply:
        """The key, where this scenario puts it (sense-api.md 1.10: unknown)."""
        success, result = self._dialect.success, self._dialect.result
        match self._login.key_in:
            case "element":
                return Reply(body=result(success, Node("sessionkey", key)))
            case "nested-element":
                inner = Node("authentication", children=(Node("sessionkey", key),))
                return Reply(body=result(success, inner))
            case "session-element":
                return Reply(body=result(success, Node("session", key)))
            case "attribute":
                return Reply(body=result(success, attributes={"sessionkey": key}))
            case "key-attribute":
                node = Node("session", attributes={"key": key})
                return Reply(body=result(success, node))
            case "cookie":
                cookie = ("Set-Cookie", f"sessionkey={key}; Path=/; HttpOnly")
                return Reply(
                    headers=(("Content-Type", XML), cookie), body=result(success)
                )


def _document(body: bytes) -> Node:
    if len(body) > BODY_LIMIT:
        raise Denied(Code.GENERAL, "body too large")
    try:
        return parse(body)
    except BadXml as error:
        raise Denied(Code.GENERAL, str(error)) from error
