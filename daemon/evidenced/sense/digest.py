"""The digest of AuthenticateUserDigest. Source: sense-api.md B1 1.3, checked there."""

import hashlib
import hmac


def compute_digest(*, username: str, password: str, nonce: str, timestamp: str) -> str:
    """Lower-case hex HMAC-SHA1 over the nonce.

    The key is md5hex(timestamp) + username + hex(sha1(sha1_raw(password))). MD5 and
    SHA-1 are the vendor's protocol, not our choice.
    """
    stamp = hashlib.md5(timestamp.encode(), usedforsecurity=False).hexdigest()
    inner = hashlib.sha1(password.encode(), usedforsecurity=False).digest()
    secret = hashlib.sha1(inner, usedforsecurity=False).hexdigest()
    key = f"{stamp}{username}{secret}".encode()
    return hmac.new(key, nonce.encode(), hashlib.sha1).hexdigest()
