"""Holds the imports of every target against Package.swift, whose description in JSON (swift package dump-package) is
read from standard input:

- a module of this package, or of one that it depends on, is imported only where Package.swift declares it; tests may
  also import what their declared dependencies depend on;
- a declared dependency is imported by some file;
- targets are listed from bottom to top, so that nothing depends on what comes later, and nothing on itself.

Prints one line for each fault, and ends with status 1 where there is one.
"""

import json
import os
import re
import sys

IMPORT = re.compile(
    r"^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|fileprivate|private)\s+)?"
    r"import\s+(?:(?:typealias|struct|class|enum|protocol|let|var|func|actor)\s+)?(\w+)"
)
INCLUDE = re.compile(r"^\s*#\s*(?:include|import)\s*[<\"]([^>\"]+)[>\"]")


def folder(target):
    """Where a target's sources lie."""
    if target.get("path"):
        return target["path"]
    return os.path.join("Tests" if target["type"] == "test" else "Sources", target["name"])


def dependencies(target):
    """Names of the targets and products that a target declares, in order."""
    names = []
    for dependency in target["dependencies"]:
        # {"byName": [name, condition]}, {"target": [name, condition]}, {"product": [name, package, …]}
        names.append(next(iter(dependency.values()))[0])
    return names


def files(directory, endings):
    for place, directories, names in os.walk(directory):
        directories.sort()
        for name in sorted(names):
            if name.endswith(endings):
                yield os.path.join(place, name)


def imports(path):
    """Modules that a Swift file imports, with their lines. What stands in comments and long strings does not count."""
    in_string = in_comment = False
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if not in_string and not in_comment:
                found = IMPORT.match(line)
                if found:
                    yield found.group(1), number
            if not in_string:
                in_comment = (in_comment or "/*" in line) and not line.rstrip().endswith("*/")
            if not in_comment and line.count('"""') % 2 == 1:
                in_string = not in_string


def included(directory):
    """Names of the headers that C and C++ sources include, without their directories and endings."""
    result = set()
    for path in files(directory, (".c", ".cpp", ".h", ".hpp")):
        with open(path, encoding="utf-8", errors="replace") as file:
            result.update(os.path.splitext(os.path.basename(m.group(1)))[0] for m in map(INCLUDE.match, file) if m)
    return result


def closure(name, declared):
    """All that a target depends on, directly or not."""
    reached, waiting = set(), [name]
    while waiting:
        for dependency in declared.get(waiting.pop(), []):
            if dependency not in reached:
                reached.add(dependency)
                waiting.append(dependency)
    return reached


def main():
    try:
        targets = json.load(sys.stdin)["targets"]
    except (ValueError, KeyError, TypeError):
        sys.exit("check_imports: expected on standard input what `swift package dump-package` prints")
    declared = {target["name"]: dependencies(target) for target in targets}
    order = {target["name"]: place for place, target in enumerate(targets)}
    known = set(declared) | {name for names in declared.values() for name in names}
    faults = []
    for target in targets:
        name = target["name"]
        allowed = set(declared[name])
        # A test builds on its module, and may look at what that is made of.
        if target["type"] == "test":
            allowed |= closure(name, declared)
        used = set()
        for path in files(folder(target), ".swift"):
            for module, line in imports(path):
                used.add(module)
                if module == name:
                    faults.append(f"{path}:{line}: imports its own module")
                elif module in known and module not in allowed:
                    faults.append(f"{path}:{line}: imports {module}, which {name} does not declare in Package.swift")
        used |= included(folder(target))
        for dependency in declared[name]:
            # A test of a command runs it and imports nothing of it.
            runs = target["type"] == "test" and any(
                other["name"] == dependency and other["type"] == "executable" for other in targets)
            if dependency not in used and not runs:
                faults.append(f"Package.swift: {name} declares {dependency} and imports it nowhere")
            if order.get(dependency, -1) >= order[name]:
                faults.append(f"Package.swift: {name} depends on {dependency}, which stands below it in the list")
            if name in closure(dependency, declared):
                faults.append(f"Package.swift: {name} depends on {dependency}, which depends on {name}")
    for fault in faults:
        print(fault)
    if faults:
        sys.exit(1)


main()
