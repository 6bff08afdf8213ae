#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What was sent to GitHub, against what GitHub publishes of its interface: github_schema.py FILE

A line of FILE is {"path": ..., "body": ...} of a POST. The description is that of npm's package @octokit/openapi; it is fetched once
and kept in ~/.cache/davit-tests. A field that the description does not have is an error too. Ends with 77 where it cannot be had.
"""
import base64, hashlib, json, os, re, sys, tarfile, urllib.request

try:
    import jsonschema
except ImportError as why:
    print("skipped: %s" % why)
    sys.exit(77)

VERSION = "23.0.2"
SHA512 = "pV8M7L9GY23AybNvTmo2nyjmpmnt6+2sRE/tqr0ZLQcPS4lnw7u5eZGNmwRNkBC3D7gZXbFx5AHzLUVRBXGDhg=="
REGISTRY = os.environ.get("NPM_CONFIG_REGISTRY", "https://registry.npmjs.org").rstrip("/")
CALLS = {
    r"/repos/[^/]+/[^/]+/statuses/[0-9a-f]{40}": "/repos/{owner}/{repo}/statuses/{sha}",
    r"/repos/[^/]+/[^/]+/deployments": "/repos/{owner}/{repo}/deployments",
    r"/repos/[^/]+/[^/]+/deployments/[0-9]+/statuses": "/repos/{owner}/{repo}/deployments/{deployment_id}/statuses",
}


def description():
    """The schemas of the bodies of CALLS, by path."""
    cache = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "davit-tests")
    kept = os.path.join(cache, "github-%s.json" % VERSION)
    if not os.path.exists(kept):
        os.makedirs(cache, exist_ok=True)
        package = os.path.join(cache, "openapi-%s.%d.tgz" % (VERSION, os.getpid()))
        try:
            with urllib.request.urlopen("%s/@octokit/openapi/-/openapi-%s.tgz" % (REGISTRY, VERSION), timeout=60) as answer:
                data = answer.read()
        except OSError as why:
            print("skipped: npm's package @octokit/openapi cannot be fetched: %s" % why)
            sys.exit(77)
        digest = base64.b64encode(hashlib.sha512(data).digest()).decode()
        assert digest == SHA512, "npm's package is another one: %s" % digest
        with open(package, "wb") as f:
            f.write(data)
        with tarfile.open(package) as archive:
            whole = json.load(archive.extractfile("package/generated/api.github.com.json"))
        os.unlink(package)
        schemas = {p: whole["paths"][p]["post"]["requestBody"]["content"]["application/json"]["schema"] for p in CALLS.values()}
        with open("%s.%d" % (kept, os.getpid()), "w") as f:
            json.dump(schemas, f)
        os.rename("%s.%d" % (kept, os.getpid()), kept)
    with open(kept) as f:
        return json.load(f)


def strict(schema):
    """OpenAPI 3.0's `nullable` is JSON Schema's type null; and nothing but what is described."""
    out = dict(schema, additionalProperties=False)
    out["properties"] = {n: dict(p, type=[p["type"], "null"]) if p.get("nullable") else p for n, p in schema["properties"].items()}
    return out


def main():
    schemas, seen = description(), dict.fromkeys(CALLS.values(), 0)
    failed = 0
    with open(sys.argv[1]) as f:
        sent = [json.loads(line) for line in f]
    for one in sent:
        path = next((p for pattern, p in CALLS.items() if re.fullmatch(".*" + pattern, one["path"])), None)
        try:
            assert path, "nothing is known of %s" % one["path"]
            seen[path] += 1
            jsonschema.Draft7Validator(strict(schemas[path])).validate(one["body"])
        except (AssertionError, jsonschema.ValidationError) as why:
            failed += 1
            print("not ok %s: %s" % (one["path"], getattr(why, "message", why)))
    for path, count in seen.items():
        failed += count == 0
        print("%s %s: %d bodies" % ("ok" if count else "not ok", path, count))
    sys.exit(failed > 0)


main()
