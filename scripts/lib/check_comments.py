"""Reads the documentation comments of every Swift file below Sources, and prints one line for each fault:

- a public declaration without a comment of its own: one comment documents one declaration, so that of two properties
  under one comment the second has none; a requirement of a public protocol and a case of a public enumeration are
  declarations, too;
- a comment that documents several declarations at once (`case left, right`, `let x, y: Int`);
- a comment that documents nothing: an empty line or the end of a scope follows;
- a comment whose first words go on from the declaration's name ("Of its number.") and so say nothing without it.

Members that a protocol asks for have its comment: a type's need none of their own where the protocol is one of the
module's (DocC shows them the protocol's), or is the standard library's and they mean what they mean everywhere (`==`,
`description`, `encode(to:)`). Ends with status 1 where there is a fault.
"""

import glob
import os
import re
import sys

FORBIDDEN = re.compile(r"(Of|That|Those|What|The same|As|Where they|Where it)\b")

MODIFIERS = (
    r"(?:(?:public|open|package|internal|fileprivate|private|static|class|final|mutating|nonmutating|override|"
    r"convenience|required|indirect|lazy|weak|unowned|nonisolated|isolated|borrowing|consuming|dynamic|optional|"
    r"prefix|postfix|infix|async)(?:\(\w+\))?\s+)*"
)
DECLARATION = re.compile(
    rf"^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?P<modifiers>{MODIFIERS})"
    r"(?P<kind>let|var|func|init|subscript|struct|class|enum|protocol|actor|typealias|associatedtype|case|extension)\b"
    r"(?P<rest>.*)$"
)
ATTRIBUTE = re.compile(r"^\s*@\w+(\([^)]*\))?\s*$|^\s*#(if|else|elseif|endif)\b")
# Witnesses of the standard library's protocols.
KNOWN = re.compile(
    r"func (==|<)|func hash\(into|func encode\(to|func makeIterator\(\)|init\(from \w+: (any )?Decoder|"
    r"enum CodingKeys\b|(let|var) (description: String|errorDescription: String\?)"
)
NAME = re.compile(r"(?P<kind>\w+)\s*(?P<name>\w*)")


def code(line, state):
    """The line without comments and the text of strings. `state` holds whether a long string or comment is open."""
    out, place = [], 0
    while place < len(line):
        if state["string"]:
            end = line.find('"""', place)
            if end < 0:
                return "".join(out)
            state["string"], place = False, end + 3
        elif state["comment"]:
            end = line.find("*/", place)
            if end < 0:
                return "".join(out)
            state["comment"], place = False, end + 2
        elif line.startswith('"""', place):
            state["string"], place = True, place + 3
        elif line.startswith("//", place):
            break
        elif line.startswith("/*", place):
            state["comment"], place = True, place + 2
        elif line[place] == '"':
            place += 1
            depth = 0  # of interpolations, which may hold strings
            while place < len(line):
                if line.startswith("\\(", place):
                    depth, place = depth + 1, place + 2
                elif depth and line[place] == "(":
                    depth, place = depth + 1, place + 1
                elif depth and line[place] == ")":
                    depth, place = depth - 1, place + 1
                elif line[place] == "\\":
                    place += 2
                elif line[place] == '"' and not depth:
                    break
                else:
                    place += 1
            place += 1
            out.append('""')
        else:
            out.append(line[place])
            place += 1
    return "".join(out)


def member(signature):
    """What a protocol and a type that conforms to it have in common: a member's kind and name."""
    kind, name = NAME.match(signature).group("kind", "name")
    return ("var" if kind == "let" else kind, name if kind != "init" else "")


def conformances(kind, rest):
    """A type's name, and the names that stand behind its colon."""
    found = re.match(r"\s+([\w.]+)(?:<[^>]*>)?\s*:\s*([^{]*)", rest)
    if kind not in ("struct", "class", "enum", "actor", "extension", "protocol") or not found:
        return None, set()
    return found[1], set(re.findall(r"\w+", found[2].split(" where ")[0]))


def inherited(paths):
    """By type, the members that a protocol of the same files has a comment for."""
    requirements, conforming = {}, {}
    for path in paths:
        protocol = None
        with open(path, encoding="utf-8") as file:
            for line in file:
                found = DECLARATION.match(line)
                if line.startswith("}"):
                    protocol = None
                if not found or line.strip().startswith("//"):
                    continue
                name, others = conformances(found["kind"], found["rest"])
                if found["kind"] == "protocol":
                    name = re.match(r"\s+(\w+)", found["rest"])[1]
                    protocol = requirements.setdefault(name, set())
                    conforming.setdefault(name, set()).add(name)
                elif protocol is not None:
                    protocol.add(member(f"{found['kind']}{found['rest']}"))
                if name:
                    conforming.setdefault(name, set()).update(others)
    return {
        name: set().union(*(requirements.get(other, set()) for other in others)) for name, others in conforming.items()
    }


def faults(path, known):
    """Line and text of each fault of a file. `known` has by type the members that need no comment."""
    with open(path, encoding="utf-8") as file:
        lines = file.read().split("\n")
    state = {"string": False, "comment": False}
    scopes = []  # of each open brace: the declaration's kind, whether it is public, its name
    comment = None  # line and first text of the comment that waits for its declaration
    head = None  # a declaration whose brace has not come yet, as in scopes
    for number, line in enumerate(lines, 1):
        text = line.strip()
        within = state["string"] or state["comment"]
        bare = code(line, state)
        if not within and text.startswith("///"):
            if comment is None:
                comment = (number, text[3:].strip())
                if FORBIDDEN.match(comment[1]):
                    yield number, f"a comment that goes on from a name instead of naming its subject: {comment[1][:60]}"
            continue
        if within or (ATTRIBUTE.match(line) and not bare.count("{")):
            continue
        found = DECLARATION.match(bare)
        scope = scopes[-1] if scopes else ("file", True, None)
        # Inside a function's body, and in an accessor, nothing is declared for others.
        local = scope[0] in ("func", "init", "subscript", "var", "let", "closure", "case")
        if found and not (local and found["kind"] == "case"):
            kind, rest = found["kind"], found["rest"]
            if kind == "class" and re.match(r"\s+(func|var|let|subscript)\b", rest):
                kind, rest = re.match(r"\s+(\w+)(.*)", rest).groups()
            visible = re.search(r"\b(public|open)\b", found["modifiers"]) is not None
            if scope[:2] == ("protocol", True) or (scope[:2] == ("enum", True) and kind == "case"):
                visible = True
            narrowed = re.search(r"\b(private|fileprivate|internal|package)\b", found["modifiers"])
            if scope[:2] == ("extension", True) and not narrowed:
                visible = True
            signature = f"{kind}{rest}".strip()
            needless = kind == "extension" or KNOWN.match(signature) or member(signature) in known.get(scope[2], ())
            if visible and not local and comment is None and not needless:
                yield number, f"a public declaration without a comment: {signature[:60]}"
            several = kind == "case" and "," in re.sub(r"\([^()]*\)|\"\"", "", rest)
            several = several or (kind in ("let", "var") and re.match(r"\s+\w+\s*,\s*\w+", rest))
            if several and (comment or visible) and not local:
                yield number, f"one comment for several declarations: {signature[:60]}"
            head = (kind, visible, re.match(r"\s*([\w.]*)", rest)[1])
        elif comment is not None and not text.startswith("//"):
            yield comment[0], f"a comment that documents nothing: {comment[1][:60]}"
        if text and not text.startswith("//"):
            comment = None
        elif not text:
            comment = None
        for character in bare:
            if character == "{":
                scopes.append(head or ("closure", False, None))
                has_body = head and head[0] in ("func", "init", "subscript", "var", "let")
                head = ("closure", False, None) if has_body else None
            elif character == "}":
                if scopes:
                    scopes.pop()
                head = None
        # A declaration without a brace ends with its line, but for a signature or a conformance that goes on.
        if head and head[0] in ("let", "var", "case", "typealias", "associatedtype"):
            if not bare.rstrip().endswith(("=", ",", "(", ":", "?")):
                head = None
    if state["string"] or scopes:
        yield len(lines), "this check lost its way in the file's braces"


def main():
    count = 0
    for module in sorted(os.listdir("Sources")):
        # The links by which one folder of kernels is several targets are not followed.
        if os.path.islink(f"Sources/{module}"):
            continue
        paths = sorted(glob.glob(f"Sources/{module}/**/*.swift", recursive=True))
        known = inherited(paths)
        for path in paths:
            for number, fault in faults(path, known):
                print(f"{path}:{number}: {fault}")
                count += 1
    sys.exit(1 if count else 0)


main()
