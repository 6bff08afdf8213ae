# SPDX-License-Identifier: Apache-2.0
"""The proxies that bench_gateway.py compares, each with one worker on processor 0, and the backends behind them.

A scene is the same work for all of them: what they do with a request (weights, a sticky cookie, an access log, a mirror), how clients come
(in clear, TLS), and where the backends listen (TCP, UNIX sockets). Each is configured as its documentation advises for that work."""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field

PROXY_CPU, LOAD_CPU = "0", "1"
BODY = "0" * 91
BODIES = {"/": 91, "/16k": 16 << 10, "/100k": 100 << 10}


@dataclass(frozen=True)
class Scene:
    name: str
    path: str = "/"
    weighted: bool = False  # 90 : 10, a sticky cookie, an access log
    unix: bool = False  # backends on UNIX sockets
    tls: bool = False
    mirror: bool = False  # every request, to a backend of its own
    behind: bool = False  # HTTP/2 to the backends


@dataclass
class Place:
    """A directory, ports, and processes that end with the bench."""

    directory: str
    processes: list = field(default_factory=list)

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def start(self, command, cpu):
        with open(self.path("log"), "ab") as log:
            process = subprocess.Popen(["taskset", "-c", cpu, *command], stdout=log, stderr=log, start_new_session=True)
        self.processes.append(process)
        return process

    def stop(self, process):
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.processes.remove(process)

    def stop_all(self):
        for process in list(self.processes):
            self.stop(process)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def await_port(port, seconds=10):
    deadline = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise RuntimeError(f"nothing listens on port {port}") from None
            time.sleep(0.02)


class Backends:
    """nginx: two releases and a mirror, each by TCP and by a UNIX socket."""

    def __init__(self, place):
        self.ports = [free_port() for _ in range(3)]
        self.http2_ports = [free_port() for _ in range(3)]
        self.sockets = [place.path(f"backend-{i}.sock") for i in range(3)]
        os.makedirs(place.path("www"), exist_ok=True)
        for path, size in BODIES.items():
            if path != "/":
                place.write("www" + path, "x" * size)
        servers = "".join(
            f"server {{ listen 127.0.0.1:{port} backlog=4096; listen 127.0.0.1:{http2} http2; listen unix:{sock} backlog=4096; root {place.path('www')}; "
            f'location = / {{ return 200 "{BODY}"; }} location / {{ }} }}\n'
            for port, http2, sock in zip(self.ports, self.http2_ports, self.sockets)
        )
        os.chmod(place.directory, 0o755)  # nginx's worker is another user where we are root
        config = place.write("backend.conf", f"""
worker_processes 1; daemon off; pid {place.path('backend.pid')}; error_log {place.path('backend.log')};
events {{ worker_connections 20000; }}
http {{ access_log off; keepalive_requests 1000000000; keepalive_timeout 1h; open_file_cache max=100; {servers} }}
""")
        place.start(["nginx", "-e", place.path("backend.log"), "-c", config], LOAD_CPU)
        await_port(self.ports[0])

    def address(self, index, scene):
        port = (self.http2_ports if scene.behind else self.ports)[index]
        return f"unix:{self.sockets[index]}" if scene.unix else f"127.0.0.1:{port}"


def start_davit(place, backends, scene, port, binary):
    release = lambda tag, index, weight: {  # noqa: E731
        "tag": tag, "weight": weight, "processes": {"web": [{
            "address": backends.address(index, scene), "protocol": "http2" if scene.behind else "http1"}]}}
    environment = {
        "app": "bench", "name": "prod", "live": "one", "routes": [{"listen": f"127.0.0.1:{port}"}],
        "releases": [release("one", 0, "100%")],
    }
    if scene.weighted:
        environment["releases"] = [release("two", 1, "10%"), release("one", 0, "90%")]
        environment["sticky"] = {"cookie": "unit"}
        environment["access_log"] = True
    if scene.mirror:
        environment["releases"] = [release("two", 2, "0%"), release("one", 0, "100%")]
        environment["mirror"] = {"release": "two", "share": "100%", "in_flight": 1024}
    if scene.tls:
        environment["tls"] = {"certificate": place.path("cert.pem"), "key": place.path("key.pem")}
    table = place.write("davit.json", json.dumps({"limits": {"connections": 20000}, "environments": [environment]}))
    return place.start([binary, "gateway", "--table", table, "--workers", "1", "--access-log", place.path("davit.access")], PROXY_CPU)


def start_haproxy(place, backends, scene, port, _binary):
    at = lambda index: (  # noqa: E731
        f"unix@{backends.sockets[index]}" if scene.unix else backends.address(index, scene) + (" proto h2" if scene.behind else ""))
    bind = f"127.0.0.1:{port}" + (f" ssl crt {place.path('both.pem')} alpn h2,http/1.1" if scene.tls else "")
    servers = f"server one {at(0)} weight 90 cookie one\n  server two {at(1)} weight 10 cookie two" if scene.weighted else f"server one {at(0)}"
    log = f"log {place.path('haproxy.log.sock')} local0\n  option httplog" if scene.weighted else ""
    config = place.write("haproxy.cfg", f"""
global
  nbthread 1
  maxconn 9900
defaults
  mode http
  timeout connect 5s
  timeout client 1h
  timeout server 1h
  http-reuse always
  {log}
frontend in
  bind {bind}
  default_backend all
backend all
  {'cookie unit insert indirect' if scene.weighted else ''}
  balance {'random' if scene.weighted else 'roundrobin'}
  option forwardfor
  http-request set-header X-Forwarded-Proto http
  {servers}
""")
    return place.start(["haproxy", "-db", "-f", config], PROXY_CPU)


def start_nginx(place, backends, scene, port, _binary):
    upstream = lambda name, index: (  # noqa: E731
        f"upstream {name} {{ server {backends.address(index, scene)}; keepalive 256; keepalive_requests 1000000000; }}")
    listen = f"127.0.0.1:{port}" + (" ssl http2" if scene.tls else "") + " backlog=4096"
    tls = f"ssl_certificate {place.path('cert.pem')}; ssl_certificate_key {place.path('key.pem')};" if scene.tls else ""
    log = f"access_log {place.path('nginx.access')} combined buffer=64k flush=1s;" if scene.weighted else "access_log off;"
    split = 'split_clients "$request_id" $to { 10% two; * one; }' if scene.weighted else ""
    headers = (
        'proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host; '
        "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme;")
    passed = f"proxy_pass http://{'$to' if scene.weighted else 'one'}; {headers}"
    if scene.behind:
        passed = "grpc_pass grpc://one; grpc_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"
    mirror = "mirror /mirror;" if scene.mirror else ""
    mirrored = f"location = /mirror {{ internal; {headers} proxy_pass http://three$request_uri; }}" if scene.mirror else ""
    config = place.write("nginx.conf", f"""
worker_processes 1; daemon off; pid {place.path('nginx.pid')}; error_log {place.path('nginx.log')};
events {{ worker_connections 20000; }}
http {{
  {log} keepalive_requests 1000000000; keepalive_timeout 1h; {split}
  {upstream('one', 0)} {upstream('two', 1)} {upstream('three', 2)}
  server {{ listen {listen}; {tls}
    location / {{ {mirror} {passed} }} {mirrored} }} }}
""")
    return place.start(["nginx", "-e", place.path("nginx.log"), "-c", config], PROXY_CPU)


GO_PROXY = """package main

import (
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
)

func main() {
	to, _ := url.Parse(os.Args[2])
	proxy := httputil.NewSingleHostReverseProxy(to)
	proxy.Transport = &http.Transport{MaxIdleConnsPerHost: 256}
	panic(http.ListenAndServe(os.Args[1], proxy))
}
"""


def start_go(place, backends, _scene, port, _binary):
    program = place.path("reverse-proxy")
    if not os.path.exists(program):
        source = place.write("reverse_proxy.go", GO_PROXY)
        subprocess.run(["go", "build", "-o", program, source], check=True, capture_output=True,
                       env={**os.environ, "GO111MODULE": "off", "GOCACHE": place.path("go-cache")})
    os.environ["GOMAXPROCS"] = "1"
    return place.start([program, f"127.0.0.1:{port}", f"http://127.0.0.1:{backends.ports[0]}"], PROXY_CPU)


STARTERS = {"davit": start_davit, "haproxy": start_haproxy, "nginx": start_nginx, "go": start_go}


def there(name):
    return name == "davit" or shutil.which(name) is not None
