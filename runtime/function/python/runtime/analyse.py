"""Reads a function's sources without running them: which files it is made of, which packages it imports, and whether it is
Python at all."""

import ast
import importlib.machinery
import importlib.util
import os
import re
import sys

INSTALLED = re.compile(r"[/\\](site-packages|dist-packages)([/\\]|$)")
DYNAMIC = {"importlib", "__import__", "exec", "eval", "runpy", "pkgutil", "spec_from_file_location"}


class Source:
    """What one version of a file says."""

    def __init__(self, path, text):
        self.text, self.error = text, None
        self.imports = []  # (level, module, names, is at the top of the file)
        self.dynamic = False
        self.paths = []  # that it adds to sys.path
        self.names = {"__file__": path}
        try:
            tree = ast.parse(text, path)
            compile(tree, path, "exec", dont_inherit=True)
        except SyntaxError as e:
            self.error = {"file": path, "line": e.lineno or 0, "column": e.offset or 0, "text": e.text or "", "message": e.msg}
            return
        except ValueError as e:  # null bytes
            self.error = {"file": path, "line": 0, "column": 0, "text": "", "message": str(e)}
            return
        self.visit(tree, True)

    def visit(self, node, top):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                self.imports += [(0, name.name, (), top) for name in child.names]
            elif isinstance(child, ast.ImportFrom):
                self.imports.append((child.level, child.module or "", tuple(name.name for name in child.names), top))
            elif isinstance(child, ast.Name) and child.id in DYNAMIC or isinstance(child, ast.Attribute) and child.attr in DYNAMIC:
                self.dynamic = True
            if top:
                self.note(child)
            self.visit(child, top and not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)))

    def note(self, node):
        """Take note of a path that a name is given, and of one that is added to sys.path."""
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            self.names[node.targets[0].id] = self.path(node.value)
        added = []
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("sys.path.insert", "sys.path.append", "site.addsitedir"):
            added = node.args[-1:]
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "sys.path.extend" and node.args and isinstance(node.args[0], (ast.List, ast.Tuple)):
            added = node.args[0].elts
        elif isinstance(node, ast.AugAssign) and ast.unparse(node.target) == "sys.path" and isinstance(node.value, (ast.List, ast.Tuple)):
            added = node.value.elts
        self.paths += [os.path.abspath(path) for path in map(self.path, added) if path and os.path.isabs(path)]

    def path(self, node):
        """The path that an expression comes to, by what os.path and pathlib do with __file__; None if that cannot be told."""
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else None
        if isinstance(node, ast.Name):
            return self.names.get(node.id)
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Div, ast.Add)):
            left, right = self.path(node.left), self.path(node.right)
            if left is None or right is None:
                return None
            return os.path.join(left, right) if isinstance(node.op, ast.Div) else left + right
        if isinstance(node, ast.Attribute) and node.attr == "parent":
            at = self.path(node.value)
            return at and os.path.dirname(at)
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Attribute) and node.value.attr == "parents":
            at, n = self.path(node.value.value), node.slice
            if at is None or not isinstance(n, ast.Constant) or not isinstance(n.value, int):
                return None
            for _ in range(n.value + 1):
                at = os.path.dirname(at)
            return at
        if not isinstance(node, ast.Call) or node.keywords:
            return None
        name, parts = ast.unparse(node.func).rpartition(".")[2], [self.path(a) for a in node.args]
        if isinstance(node.func, ast.Attribute) and not parts and name in ("resolve", "absolute", "as_posix"):
            at = self.path(node.func.value)  # of a Path, which pathlib.Path(…) has made
            return at and os.path.abspath(at)
        if not parts or None in parts:
            return None
        if name in ("join", "Path", "joinpath"):
            first = [self.path(node.func.value)] if name == "joinpath" else []
            return None if None in first else os.path.join(*first, *parts)
        if name in ("abspath", "realpath", "normpath"):
            return os.path.abspath(parts[0])
        return {"dirname": os.path.dirname, "str": str, "fspath": str}.get(name, lambda _: None)(parts[0])


class Reader:
    def __init__(self, root, site, sources):
        self.root, self.site, self.sources = root, site, sources
        self.roots = [root]  # and what the sources add to sys.path
        self.files, self.folders = set(), {root}
        self.modules = []  # of installed packages, in the order of their imports
        self.own = set()  # folders of packages that are not in the function's folder and not installed
        self.dynamic = False
        self.error = None

    def source(self, path):
        with open(path, "rb") as f:
            text = f.read()
        known = self.sources.get(path)
        if known is None or known.text != text:
            known = self.sources[path] = Source(path, text)
        return known

    def follow(self, path, package):
        """Read a file of the module or package that it is in, and all that it imports."""
        if path in self.files:
            return
        self.files.add(path)
        self.folders.add(os.path.dirname(path))
        try:
            source = self.source(path)
        except OSError:
            return  # gone meanwhile: the list of its folder has changed
        if source.error is not None:
            self.error = self.error or source.error
            return
        self.dynamic = self.dynamic or source.dynamic
        for path in source.paths:
            self.folders.add(path)  # if it is not there, it may appear
            if path not in self.roots and not INSTALLED.search(path):
                self.roots.append(path)
        for level, module, names, top in source.imports:
            self.imported(package, level, module, names, top)

    def imported(self, package, level, module, names, top):
        if level > 0:
            parts = package[: len(package) - (level - 1)] + (module.split(".") if module else [])
        else:
            parts = module.split(".")
        if not self.find(parts):
            if level == 0:
                self.foreign(module, names, top)
            return
        for name in names:
            if name != "*":
                self.find(parts + [name])

    def find(self, parts):
        """Follow a module of the function's own and the packages that it is in; false if it has none of that name."""
        return any(self.find_in(root, parts) for root in self.roots)

    def find_in(self, at, parts):
        for i, part in enumerate(parts):
            folder = os.path.join(at, part)
            if os.path.isfile(os.path.join(folder, "__init__.py")):
                self.follow(os.path.join(folder, "__init__.py"), parts[: i + 1])
            elif os.path.isfile(folder + ".py"):
                self.follow(folder + ".py", parts[:i])
                return True
            elif os.path.isdir(folder):
                self.folders.add(folder)
            else:
                return i > 0
            at = folder
        return bool(parts)

    def foreign(self, module, names, top):
        name = module.partition(".")[0]
        if name in sys.builtin_module_names or name in getattr(sys, "stdlib_module_names", ()):
            return
        try:
            spec = importlib.machinery.PathFinder.find_spec(name, self.site) or importlib.util.find_spec(name)
        except (ImportError, ValueError):
            spec = None
        if spec is None:
            return
        places = list(spec.submodule_search_locations or []) or [spec.origin or ""]
        if any(INSTALLED.search(place) for place in places):
            if top and module not in self.modules:
                self.modules.append(module)
        elif not any(place.startswith(os.path.join(sys.base_prefix, "")) for place in places):
            self.own.update(place if os.path.isdir(place) else os.path.dirname(place) for place in places if os.path.isabs(place))


def read(command, sources):
    """Answer {files, folders, modules, own, dynamic, site, error} of a function {root, module, site}."""
    importlib.invalidate_caches()
    sys.path_importer_cache.clear()
    reader = Reader(command["root"], command["site"], sources)
    reader.find(command["module"].split("/"))
    installed = [p for p in sys.path + command["site"] if INSTALLED.search(p) and os.path.isdir(p)]
    return {
        "files": sorted(reader.files),
        "folders": sorted(reader.folders),
        "modules": reader.modules,
        "own": sorted(reader.own),
        "dynamic": reader.dynamic,
        "site": installed,
        "error": reader.error,
    }
