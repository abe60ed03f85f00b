"""Asks Keyward whether a key is good, of one's own project and with these scopes. What is no clear yes is a no.
KEYWARD_URL=… KEYWARD_PROJECT=… KEYWARD_KEY=… python3 verify.py data:read"""
import json, os, sys
from urllib.request import HTTPRedirectHandler, Request, build_opener


class NoRedirect(HTTPRedirectHandler):  # the key goes to no other address
    def redirect_request(self, *_):
        return None


def verify(key, scopes):
    try:
        question = {"key": key, "project": os.environ["KEYWARD_PROJECT"], "scopes": scopes}
        url, kind = os.environ["KEYWARD_URL"] + "/v1/keys/verify", {"Content-Type": "application/json"}
        with build_opener(NoRedirect).open(Request(url, json.dumps(question).encode(), kind), timeout=1) as response:
            decision = json.load(response)  # the timeout is in seconds, and for each wait
        if response.status != 200 or not isinstance(decision.get("valid"), bool):
            raise ValueError("its answer is no decision")
        return decision
    except Exception as error:
        return {"valid": False, "code": "unavailable", "message": f"Keyward could not be asked: {error}"}


if __name__ == "__main__":
    decision = verify(os.environ["KEYWARD_KEY"], sys.argv[1:])
    print(json.dumps(decision))
    sys.exit(0 if decision["valid"] else 1)
