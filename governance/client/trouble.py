"""What went wrong between us and an engine, in a sentence that says what to do."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from importlib.metadata import version

import httpx
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from governance.errors import GovernanceError, Outdated, Unavailable, Unreached

_EXPIRED, _NOT_YET, _OTHER_NAME, _OTHER_ADDRESS = 10, 9, 62, 64
"""What OpenSSL finds of a certificate. Source: https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/."""
_SELF_SIGNED = (18, 19)


def unreached(url: str, error: httpx.HTTPError | httpx.InvalidURL) -> Unavailable:
    """Return why no answer came from `url`."""
    if isinstance(error, httpx.ReadTimeout):
        return Unavailable(f"the engine at {url} does not answer")
    wrong = next((each for each in _causes(error) if isinstance(each, ssl.SSLError)), None)
    if isinstance(wrong, ssl.SSLCertVerificationError):
        return Unreached(f"no engine is reached at {url}: {_of_certificate(wrong)}")
    if isinstance(wrong, ssl.SSLError):
        said = "what answers does not speak TLS as we do; write http:// where no proxy with TLS is before the engine"
        return Unreached(f"no engine is reached at {url}: {said} ({wrong.reason or wrong})")
    if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.InvalidURL)):
        return Unreached(f"no engine is reached at {url}: {_plain(error)}")
    if isinstance(error, httpx.RemoteProtocolError) and url.startswith("http:"):
        return Unavailable(f"no engine is reached at {url}: {_plain(error)}; write https:// where it speaks TLS")
    return Unavailable(f"no engine is reached at {url}: {_plain(error)}")


def unknown_route(answer: httpx.Response) -> bool:
    """Tell whether an engine answers that it has no such route: one of ours says more of a thing that is not there."""
    try:
        return answer.status_code in {404, 405} and answer.json()["detail"] in {"Not Found", "Method Not Allowed"}
    except (ValueError, LookupError, TypeError):
        return False


def older(answer: httpx.Response) -> GovernanceError:
    """Return that an engine does not know what it is asked."""
    return Outdated(f"the engine at {_place(answer.url)} does not know {answer.url.path}: it is {_older()}")


def misunderstood(url: httpx.URL, content: bytes, kind: type[BaseModel], error: Exception) -> GovernanceError:
    """Return why an answer is not what was asked for: the engine is of another version, or it is no engine."""
    try:
        said = from_json(content)
    except ValueError:
        said = None
    if not isinstance(said, dict) or not said.keys() & kind.model_fields.keys():
        return Unavailable(
            f"what answers at {url} is no engine of ours; the address of an engine is what gov serve says"
        )
    place = f"the engine at {_place(url)} answers {url.path}"
    if not isinstance(error, ValidationError):
        return Outdated(f"{place} in another form than we know: it is {_older()}")
    first = error.errors()[0]
    field = ".".join(map(str, first["loc"]))
    if first["type"] == "missing":
        return Outdated(f"{place} without {field}: it is {_older()}")
    return Outdated(f"{place} with a {field} that we do not know: it is {_other()}")


def _older() -> str:
    return f"older than this gov ({version('model-governance')}). Upgrade the engine, or use the gov of its version"


def _other() -> str:
    return f"of another version than this gov ({version('model-governance')}). Use the same version of both"


def _place(url: httpx.URL) -> str:
    return f"{url.scheme}://{url.netloc.decode('ascii')}"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _of_certificate(wrong: ssl.SSLCertVerificationError) -> str:
    """Return what is wrong with a certificate and what to do; nothing was sent, also no token."""
    code, said = wrong.verify_code, wrong.verify_message
    if code == _EXPIRED:
        return "its certificate has expired; whoever runs the engine, or the proxy before it, must renew it"
    if code == _NOT_YET:
        return "its certificate is not valid yet; look at the clock of this machine, then at the certificate"
    if code in (_OTHER_NAME, _OTHER_ADDRESS):
        return f"its certificate is for another name; use the name it was made for ({_plain(said)})"
    whose = "is signed by nobody but itself" if code in _SELF_SIGNED else "comes from an authority not known here"
    known = "let SSL_CERT_FILE name a file with the certificate of the authority that you trust it by"
    return f"its certificate {whose}; {known} ({_plain(said)})"


def _plain(error: object) -> str:
    """Return what an error says without the number that the system has for it."""
    return re.sub(r"^\[Errno -?\d+\] ", "", str(error)).rstrip(".")
