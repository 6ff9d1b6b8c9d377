"""The names of RFC 8693."""

from __future__ import annotations

GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"
JWT = "urn:ietf:params:oauth:token-type:jwt"


def exchange(subject_token: str, role: str, **more: object) -> dict[str, object]:
    """The parameters of an exchange, but for the grant type, which every library has a place of its own for."""
    return {"subject_token": subject_token, "subject_token_type": ID_TOKEN, "audience": role, **more}
