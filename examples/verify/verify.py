"""Verifies that a key belongs to the project and has the scopes. Without a decision, the key is denied.
KEYWARD_URL=… KEYWARD_PROJECT=… KEYWARD_KEY=… python3 verify.py data:read"""
import json, os, sys
from urllib.request import HTTPRedirectHandler, Request, build_opener


class NoRedirect(HTTPRedirectHandler):  # do not send the key to another address
    def redirect_request(self, *_):
        return None


def verify(key, scopes):
    try:
        body = {"key": key, "project": os.environ["KEYWARD_PROJECT"], "scopes": scopes}
        url, kind = os.environ["KEYWARD_URL"] + "/v1/keys/verify", {"Content-Type": "application/json"}
        with build_opener(NoRedirect).open(Request(url, json.dumps(body).encode(), kind), timeout=1) as response:
            decision = json.load(response)  # the timeout is in seconds, for each read
        if response.status != 200 or not isinstance(decision.get("valid"), bool):
            raise ValueError("the response is not a decision")
        return decision
    except Exception as error:
        return {"valid": False, "code": "unavailable", "message": f"Keyward did not return a decision: {error}"}


if __name__ == "__main__":
    decision = verify(os.environ["KEYWARD_KEY"], sys.argv[1:])
    print(json.dumps(decision))
    sys.exit(0 if decision["valid"] else 1)
