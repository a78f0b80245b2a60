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
            self.visit(child, top and not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)))


class Reader:
    def __init__(self, root, site, sources):
        self.root, self.site, self.sources = root, site, sources
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
        at = self.root
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
