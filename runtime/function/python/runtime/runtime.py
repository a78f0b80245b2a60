"""The runtime inside a sandbox of a python3* function, and the server that forks such sandboxes.

    runtime.py sandbox    takes frames from descriptor 3 and answers on 4; they are described in devstack's package pipe
    runtime.py server     takes commands from the socket that is descriptor 3: a length of 4 bytes, JSON, and descriptors
"""

import decimal
import gc
import importlib
import importlib.machinery
import json
import logging
import math
import os
import re
import socket
import sys
import threading
import time
import traceback

ANSWERS = 4


def write(descriptor, *parts):
    """Write all parts; the pipe blocks while the daemon is behind."""
    data = memoryview(b"".join(parts))
    while data:
        data = data[os.write(descriptor, data):]


def send(kind, *parts):
    write(ANSWERS, kind, sum(map(len, parts)).to_bytes(4, "big"), *parts)


def send_error(kind, body):
    name = body["errorType"].encode()
    send(kind, len(name).to_bytes(2, "big"), name, to_json(body).encode("utf-8", "surrogatepass"))


# ---- JSON ----

MARK = "devstack-decimal-%s-" % os.urandom(8).hex()
MARKS = re.compile('"' + MARK + r'(\d+)"')


def to_json(value):
    """Lambda's encoding: a Decimal is a number with all of its digits; from 3.12 on text stays what it is."""
    decimals = []

    def default(obj):
        if isinstance(obj, decimal.Decimal):
            if obj.is_nan():
                return math.nan
            decimals.append(str(obj))
            return MARK + str(len(decimals) - 1)
        if isinstance(obj, bytes):
            return obj.decode("utf-8")
        raise TypeError("Object of type %s is not JSON serializable" % type(obj).__name__)

    version = re.match(r"AWS_Lambda_python3\.(\d+)", os.environ.get("AWS_EXECUTION_ENV", ""))
    ascii_only = version is not None and int(version[1]) < 12
    text = json.dumps(value, default=default, ensure_ascii=ascii_only)
    return MARKS.sub(lambda m: decimals[int(m[1])], text) if decimals else text


# ---- log ----

request_id = None  # of the event that is being handled, or was handled last
tenant_id = None


def emit(text):
    """Deliver a message as one, whatever lines it has."""
    flush()  # what was printed before comes before
    message = text.replace("\n", "\0n").encode("utf-8", "replace")
    try:
        write(1, b"\0P", (request_id or "").encode(), b"\0", message, b"\n")
    except OSError:
        pass  # the function has closed its standard output


class Handler(logging.Handler):
    def emit(self, record):
        try:
            text = self.format(record)
        except Exception:  # as every handler of logging does
            self.handleError(record)
            return
        emit(text.rstrip("\n"))


class RequestFilter(logging.Filter):
    def filter(self, record):
        record.aws_request_id = request_id or ""
        record.tenant_id = tenant_id
        return True


TIME = "%Y-%m-%dT%H:%M:%SZ"

# What every record has: the rest of its attributes came from the caller's extra={…}.
OWN = set(logging.makeLogRecord({}).__dict__) - {"taskName"} | {"aws_request_id", "tenant_id"}


class RecordFormatter(logging.Formatter):
    """A record in JSON. https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html"""

    def __init__(self):
        super().__init__(datefmt=TIME)

    def format(self, record):
        as_it_is = isinstance(record.msg, dict) and not record.args
        all = {
            "timestamp": self.formatTime(record, self.datefmt),
            "level": logging.getLevelName(min(50, max(0, record.levelno)) // 10 * 10),
            "message": record.msg if as_it_is else record.getMessage(),
            "logger": record.name,
        }
        if record.exc_info and record.exc_info[0]:
            kind, value, trace = record.exc_info
            all["stackTrace"] = traceback.format_tb(trace)
            all["errorType"] = kind.__name__
            all["errorMessage"] = str(value)
        all["requestId"] = record.aws_request_id
        if record.exc_info:
            all["location"] = "%s:%s:%d" % (record.pathname, record.funcName, record.lineno)
        all["tenantId"] = record.tenant_id
        for name, value in record.__dict__.items():
            if name not in OWN and name not in all:
                all[name] = value
        return json.dumps({k: v for k, v in all.items() if v is not None}, ensure_ascii=False, default=str)


def logs_json():
    return os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON"


def set_up_logging():
    logging.Formatter.converter = time.gmtime
    text = logging.Formatter("[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n", "%Y-%m-%dT%H:%M:%S")
    handler = Handler()
    handler.setFormatter(RecordFormatter() if logs_json() else text)
    handler.addFilter(RequestFilter())
    root = logging.getLogger()
    root.addHandler(handler)
    level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "").upper()
    level = "DEBUG" if level == "TRACE" else level  # which Python has not
    if isinstance(logging.getLevelName(level), int):
        root.setLevel(level)


def log_error(body):
    if logs_json():
        emit(to_json({"timestamp": time.strftime(TIME, time.gmtime()), "level": "ERROR", **body}))
        return
    lines = ["[ERROR] %s: %s" % (body["errorType"], body["errorMessage"]) if body["errorMessage"] else "[ERROR] " + body["errorType"]]
    lines.append("Traceback (most recent call last):")
    for element in body["stackTrace"]:
        for line in element.splitlines() or [""]:
            inner = line.lstrip(" ")
            lines.append("\u00a0" * (len(line) - len(inner)) + inner)
    emit("\n".join(lines))


# ---- errors ----


class Fault(Exception):
    """An error that the runtime itself finds."""

    def __init__(self, kind, message, trace=()):
        super().__init__(message)
        self.kind, self.message, self.trace = "Runtime." + kind, message, list(trace)


def error_body(e, invocation=""):
    """What a caller receives of an exception."""
    if isinstance(e, Fault):
        return {"errorMessage": e.message, "errorType": e.kind, "requestId": invocation, "stackTrace": e.trace}
    frames = traceback.extract_tb(e.__traceback__)
    while frames and frames[0].filename == __file__:
        frames.pop(0)
    trace = traceback.format_list([(f.filename, f.lineno, f.name, f.line) for f in frames])
    return {"errorMessage": str(e), "errorType": type(e).__name__, "requestId": invocation, "stackTrace": trace}


# ---- the function ----


class OwnLoader(importlib.machinery.SourceFileLoader):
    """Compiles what is in the file now. Python's caches go by time and size, which two quick saves can have in common."""

    def get_code(self, fullname):
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


INSTALLED = re.compile(r"[/\\](site-packages|dist-packages)([/\\]|$)")


def use_own_loader(root, own):
    """Load modules below the function's folder, and those in other folders of its developer's, with OwnLoader."""
    finder = importlib.machinery.FileFinder.path_hook(
        (importlib.machinery.ExtensionFileLoader, importlib.machinery.EXTENSION_SUFFIXES),
        (OwnLoader, importlib.machinery.SOURCE_SUFFIXES),
    )
    folders = tuple(os.path.join(folder, "") for folder in [root, *own])

    def hook(path):
        if INSTALLED.search(path) or not os.path.join(path, "").startswith(folders):
            raise ImportError("not the function's own")
        return finder(path)

    sys.path_hooks.insert(0, hook)
    sys.path_importer_cache.clear()
    importlib.invalidate_caches()


def forget_shadowed(root):
    """Drop modules that the server has loaded and that the function has its own of."""
    stdlib = getattr(sys, "stdlib_module_names", None)
    for name in list(sys.modules):
        top = name.partition(".")[0]
        origin = getattr(sys.modules[name], "__file__", None) or ""
        if top == "__main__" or (stdlib is not None and top in stdlib) or not INSTALLED.search(origin):
            continue
        if os.path.exists(os.path.join(root, top + ".py")) or os.path.isdir(os.path.join(root, top)):
            del sys.modules[name]


def resolve_prefixes():
    """Make names like sync-127.0.0.1 resolve.

    SDKs put such a prefix before the host of a few operations, of StartSyncExecution for one, and the endpoint of a stack has no
    name below which there could be others.
    """
    url = os.environ.get("AWS_ENDPOINT_URL", "")
    endpoint = re.sub(r"^\w+://|[:/].*$", "", url)
    if not endpoint:
        return
    resolve = socket.getaddrinfo

    def getaddrinfo(host, *args, **kwargs):
        prefixed = isinstance(host, str) and host.endswith("-" + endpoint)
        return resolve(endpoint if prefixed else host, *args, **kwargs)

    socket.getaddrinfo = getaddrinfo


def load(what):
    """Find the handler. what: {root, own, site, handler, env}."""
    if what["env"] is not None:
        os.environ.clear()
        os.environ.update(what["env"])
    if "tempfile" in sys.modules:
        sys.modules["tempfile"].tempdir = None  # a package may have asked before there was a sandbox
    time.tzset()
    resolve_prefixes()
    root = what["root"]
    os.chdir(root)
    use_own_loader(root, what["own"])
    forget_shadowed(root)
    first = [root, *what["site"]]
    sys.path[:] = first + [p for p in sys.path if p not in first]
    set_up_logging()
    if what.get("wait"):
        wait_for_debugger(what["wait"])
    module_name, dot, name = what["handler"].rpartition(".")
    if not dot:
        raise Fault(
            "MalformedHandlerName",
            "Bad handler '%s': not enough values to unpack (expected 2, got 1)" % what["handler"],
        )
    if module_name.split(".")[0] in sys.builtin_module_names:
        raise Fault("BuiltInModuleConflict", "Cannot use built-in module %s as a handler module" % module_name)
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as e:
        raise Fault("ImportModuleError", "Unable to import module '%s': %s" % (module_name, e))
    except SyntaxError as e:
        trace = ['  File "%s" Line %s\n    %s' % (e.filename, e.lineno, e.text)]
        raise Fault("UserCodeSyntaxError", "Syntax error in module '%s': %s" % (module_name, e), trace)
    try:
        return getattr(module, name)
    except AttributeError:
        raise Fault("HandlerNotFound", "Handler '%s' missing on module '%s'" % (name, module_name))


# ---- events ----


class Facts:
    """A named group of attributes, as parts of the context are."""

    def __init__(self, **facts):
        self.__dict__.update(facts)

    def __repr__(self):
        return "%s([%s])" % (type(self).__name__, ",".join("%s=%s" % kv for kv in self.__dict__.items() if kv[0][0] != "_"))


class CognitoIdentity(Facts):
    pass


class Client(Facts):
    pass


class ClientContext(Facts):
    pass


def client_context(text):
    if not text:
        return None
    try:
        given = json.loads(text)
    except ValueError as e:
        raise Fault("LambdaContextUnmarshalError", "Unable to parse Client Context JSON: %s" % e)
    client = given.get("client")
    if client is not None:
        names = ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name")
        client = Client(**{name: client.get(name) for name in names})
    return ClientContext(custom=given.get("custom"), env=given.get("env"), client=client)


def cognito_identity(text):
    try:
        given = json.loads(text) if text else {}
    except ValueError as e:
        raise Fault("LambdaContextUnmarshalError", "Unable to parse Cognito Identity JSON: %s" % e)
    return CognitoIdentity(cognito_identity_id=given.get("cognitoIdentityId"), cognito_identity_pool_id=given.get("cognitoIdentityPoolId"))


def w3c_fields(text):
    given = json.loads(text).get("w3c") if text else None
    if not isinstance(given, dict):
        return {}
    return {name: given[name] for name in ("traceparent", "tracestate", "baggage") if isinstance(given.get(name), str)}


class LambdaContext(Facts):
    """https://docs.aws.amazon.com/lambda/latest/dg/python-context.html"""

    def __init__(self, facts):
        env = os.environ.get
        super().__init__(
            aws_request_id=facts["id"],
            log_group_name=env("AWS_LAMBDA_LOG_GROUP_NAME"),
            log_stream_name=env("AWS_LAMBDA_LOG_STREAM_NAME"),
            function_name=env("AWS_LAMBDA_FUNCTION_NAME"),
            memory_limit_in_mb=env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"),
            function_version=env("AWS_LAMBDA_FUNCTION_VERSION"),
            invoked_function_arn=facts["arn"],
            client_context=client_context(facts.get("client")),
            identity=cognito_identity(facts.get("identity")),
            tenant_id=facts.get("tenant"),
            _w3c_fields=w3c_fields(facts.get("client")),
            _epoch_deadline_time_in_ms=int(time.time() * 1000) + facts["ms"],
        )

    def get_remaining_time_in_millis(self):
        return max(self._epoch_deadline_time_in_ms - int(time.time() * 1000), 0)

    def w3c(self):
        """The W3C trace context that came with the event."""
        return dict(self._w3c_fields)

    def log(self, msg):
        emit(str(msg))


def respond(handler, facts, payload):
    """Return the answer's bytes."""
    try:
        event = json.loads(payload)
    except ValueError as e:
        raise Fault("UnmarshalError", "Unable to unmarshal input: %s" % e)
    value = handler(event, LambdaContext(facts))
    if isinstance(value, bytes):
        return value
    try:
        return to_json(value).encode()
    except Exception as e:
        raise Fault("MarshalError", "Unable to marshal response: %s" % e)


def invoke(handler, body):
    global request_id, tenant_id
    start = 4 + int.from_bytes(body[:4], "big")
    facts = json.loads(body[4:start])
    request_id, tenant_id = facts["id"], facts.get("tenant")
    if facts.get("trace"):
        os.environ["_X_AMZN_TRACE_ID"] = facts["trace"]
    else:
        os.environ.pop("_X_AMZN_TRACE_ID", None)
    try:
        answer = respond(handler, facts, body[start:])
    except Exception as e:
        failure = error_body(e, request_id)
        log_error(failure)
        flush()
        send_error(b"E", failure)
        return
    flush()
    send(b"R", answer)


def flush():
    """Deliver what was printed; the function may have put other streams into the places of these."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass


def serve_events():
    """Take frames until there are no more."""
    handler = None
    with open(3, "rb", closefd=False) as frames:
        while True:
            head = frames.read(5)
            if len(head) < 5:
                return
            body = frames.read(int.from_bytes(head[1:], "big"))
            if head[:1] == b"I":
                invoke(handler, body)
            elif head[:1] == b"L":
                try:
                    handler = load(json.loads(body))
                except Exception as e:
                    failure = error_body(e)
                    log_error(failure)
                    flush()
                    send_error(b"X", failure)
                    return
                flush()
                send(b"O")


def run_sandbox():
    """Serve events and end the process as the function wishes."""
    for descriptor in (3, ANSWERS):
        os.set_inheritable(descriptor, False)
    for stream in (sys.stdout, sys.stderr):
        # A whole line is one write, and so not torn apart by what another process of the function prints.
        stream.reconfigure(encoding="utf-8", line_buffering=True, write_through=False)
    serve_events()


# ---- the server ----


class Server:
    def __init__(self, control, analyse):
        self.control, self.analyse = control, analyse
        self.children = set()
        self.warmed = set()
        self.sources = {}  # what is known of source files, by path
        self.wakeup, wake = socket.socketpair()
        wake.setblocking(False)
        self.wakeup.setblocking(False)
        import signal

        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        self.wake = wake

    def say(self, **what):
        data = json.dumps(what).encode()
        try:
            self.control.sendall(len(data).to_bytes(4, "big") + data)
        except OSError:
            pass  # the daemon is gone, or does not listen any more

    def run(self):
        """Obey until the socket ends, then wait for the last child."""
        import select

        listening = True
        while listening or self.children:
            ready, _, _ = select.select([self.wakeup] + ([self.control] if listening else []), [], [])
            if self.wakeup in ready:
                self.reap()
            if self.control in ready:
                listening = self.obey()

    def reap(self):
        try:
            while self.wakeup.recv(4096):
                pass
        except BlockingIOError:
            pass
        for pid in list(self.children):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                self.children.discard(pid)
                self.say(ended=pid, status=describe(status))

    def obey(self):
        """Carry out the next command; false if there is none any more."""
        try:
            head, descriptors, _, _ = socket.recv_fds(self.control, 4, 3)
        except OSError:
            return False
        if len(head) < 4:
            return False
        body = b""
        length = int.from_bytes(head, "big")
        while len(body) < length:
            body += self.control.recv(length - len(body))
        command = json.loads(body)
        do = command["do"]
        if do == "fork":
            self.fork(command, descriptors)
        elif do == "warm":
            self.warm(command)
        elif do == "read":
            self.say(n=command["n"], result=self.read(command))
        return True

    def read(self, command):
        return self.analyse(command, self.sources)

    def warm(self, command):
        """Import packages that the function is going to import; what fails here will fail, or not, there."""
        for path in reversed(command["site"]):
            if path not in sys.path:
                sys.path.insert(0, path)
        new = [name for name in command["modules"] if name not in self.warmed]
        if not new:
            return
        self.warmed.update(new)
        for name in new:
            try:
                importlib.import_module(name)
            except BaseException:  # also what calls sys.exit
                pass
        gc.collect()
        gc.freeze()  # so that collecting in a sandbox does not copy the pages that it shares
        flush()

    def fork(self, command, descriptors):
        threads = threads_running()
        if threads > 1:
            for d in descriptors:
                os.close(d)
            self.say(n=command["n"], cannot="a package that it imports has started %d threads" % (threads - 1))
            return
        pid = os.fork()
        if pid == 0:
            self.become_sandbox(descriptors)
        try:
            os.setpgid(pid, pid)
        except OSError:
            pass  # it has done so itself
        for d in descriptors:
            os.close(d)
        self.children.add(pid)
        self.say(n=command["n"], pid=pid)

    def become_sandbox(self, descriptors):
        """Be the child. It never returns."""
        status = 1
        try:
            import signal

            os.setpgid(0, 0)
            die_with_parent()
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self.control.close()
            self.wakeup.close()
            self.wake.close()
            incoming, outgoing, output = (os.dup2(d, 20 + i) for i, d in enumerate(descriptors))
            for d in descriptors:
                if d < 20:
                    os.close(d)
            nothing = os.open(os.devnull, os.O_RDONLY)
            for source, target in ((nothing, 0), (output, 1), (output, 2), (incoming, 3), (outgoing, 4)):
                os.dup2(source, target)
            for d in {incoming, outgoing, output, nothing} - {0, 1, 2, 3, 4}:
                os.close(d)
            status = exit_status(run_sandbox)
        finally:
            os._exit(status)


def exit_status(run):
    """Run something as Python runs a program, and return its status."""
    import atexit

    status = 0
    try:
        run()
    except SystemExit as e:
        if e.code is None or isinstance(e.code, int):
            status = (e.code or 0) & 0xFF
        else:
            print(e.code, file=sys.stderr)
            status = 1
    except BaseException:
        traceback.print_exc()
        status = 1
    atexit._run_exitfuncs()
    flush()
    return status


def describe(status):
    """Say how a process ended as Go says it."""
    import signal

    if os.WIFSIGNALED(status):
        names = {signal.SIGKILL: "killed", signal.SIGSEGV: "segmentation fault", signal.SIGABRT: "aborted", signal.SIGTERM: "terminated"}
        number = os.WTERMSIG(status)
        return "signal: " + names.get(number, "signal %d" % number)
    code = os.WEXITSTATUS(status)
    return "exit status %d" % code if code else ""


def threads_running():
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return threading.active_count()


def die_with_parent():
    """https://man7.org/linux/man-pages/man2/prctl.2.html (PR_SET_PDEATHSIG, SIGKILL)"""
    if prctl is not None:
        prctl(1, 9)


prctl = None


def run_server():
    global prctl
    if sys.platform.startswith("linux"):
        try:
            import ctypes

            prctl = ctypes.CDLL(None).prctl
        except (ImportError, OSError, AttributeError):
            pass  # a small Python; the server's end is noticed by the pipes
    control = socket.socket(fileno=3)
    os.set_inheritable(3, False)
    import analyse

    del sys.modules["analyse"]  # a function may have one of that name
    leave_own_folder()
    Server(control, analyse.read).run()


def leave_own_folder():
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [p for p in sys.path if os.path.abspath(p or ".") != here]


# ---- debugging ----


def open_debugger(folder):
    """Listen for a debugger, with the package debugpy in the folder, and say where."""
    sys.path.append(folder)
    import debugpy

    host, port = debugpy.listen(("127.0.0.1", 0))
    send(b"P", ("%s:%d" % (host, port)).encode())


def wait_for_debugger(seconds):
    """Wait until a debugger has set its breakpoints, but not for ever."""
    import debugpy

    timer = threading.Timer(seconds, debugpy.wait_for_client.cancel)
    timer.daemon = True
    timer.start()
    debugpy.wait_for_client()
    timer.cancel()


def main():
    mode, debugger = sys.argv[1], sys.argv[2:]
    sys.argv[1:] = []
    if mode == "server":
        run_server()
        return
    leave_own_folder()
    if debugger and debugger[0]:
        for descriptor in (3, ANSWERS):
            os.set_inheritable(descriptor, False)
        open_debugger(debugger[0])
    os._exit(exit_status(run_sandbox))


if __name__ == "__main__":
    main()
