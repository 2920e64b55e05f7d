#!/usr/bin/env python3
"""The repository tests itself: rooms include only what the plan allows, and a few rules that are easy to break without noticing.

usage: check.py PROJECT_FOLDER
"""
import pathlib
import re
import subprocess
import sys

# Room (folder) -> the rooms that it may include besides itself. docs/ARCHITECTURE.md has the same table for people.
ALLOWED = {
    "base": set(),
    "wire/net": {"base"},
    "wire/mqtt": {"base"},
    "wire/http": {"base"},
    "auth": {"base"},
    "registry": {"base", "auth"},
    "twin": {"base", "auth"},
    "hub": {"base", "auth", "registry", "twin"},
    "store": {"base", "auth", "registry", "twin", "hub"},
    "blob": {"base"},
    "jobs": {"base", "auth", "registry", "twin", "hub", "blob"},
    "service": {"base", "wire/http", "auth", "registry", "twin", "hub", "blob", "jobs"},
    "certs": {"base"},
    "broker": {"base", "wire/net", "wire/mqtt", "wire/http", "auth", "registry", "twin", "hub", "store", "blob", "jobs", "service", "certs"},
    "tools": {"base", "wire/net", "wire/mqtt", "wire/http", "auth", "registry", "twin", "hub", "store", "blob", "jobs", "service", "certs", "broker"},
}

# What may stand in one place only: pattern -> the paths (prefixes) where it may.
CONFINED = {
    r"#include <uv\.h>": ["wire/net/"],
    r"#include <openssl/ssl\.h>": ["wire/net/"],
    r"#include <sqlite3\.h>": ["store/"],
    r"#include <boost/": ["wire/http/request_parser.cpp"],
    r"#include <spdlog/": ["base/log.cpp"],
    r"#include <curl/": ["blob/azure_container.cpp", "tools/hub_client.cpp"],
    r"#include <rapidjson/": ["base/json.h", "base/json.cpp", "twin/value.cpp", "tools/json_text.cpp"],
    r'"[^"]*\$iothub/': ["broker/topics.cpp"],
}

MAX_LINES = 600  # of a file that one sitting can read


def files(project, folder, endings):
    for path in sorted((project / folder).rglob("*")):
        if path.suffix in endings and path.is_file():
            yield path.relative_to(project).as_posix(), path.read_text(encoding="utf-8")


def room_of(path):
    for room in sorted(ALLOWED, key=len, reverse=True):
        if path.startswith(room + "/"):
            return room
    return None


def check_includes(project, faults):
    for room in ALLOWED:
        for path, text in files(project, room, {".h", ".cpp"}):
            for number, line in enumerate(text.splitlines(), 1):
                included = re.match(r'#include "([^"]+)"', line)
                if included:
                    target = room_of(included[1])
                    if target is None:
                        faults.append(f"{path}:{number}: \"{included[1]}\" is in no room")
                    elif target != room and target not in ALLOWED[room]:
                        faults.append(f"{path}:{number}: {room} must not include {target}")
                for pattern, places in CONFINED.items():
                    if re.search(pattern, line.split("//")[0] if "include" not in pattern else line) and not any(path.startswith(place) for place in places):
                        faults.append(f"{path}:{number}: {pattern} belongs in {', '.join(places)} alone")


def check_rooms(project, faults):
    for room in ALLOWED:
        if not (project / room / "README.md").is_file():
            faults.append(f"{room}: no README.md")
    built = (project / "CMakeLists.txt").read_text()
    for room in ALLOWED:
        top = room.split("/")[0]
        if f"add_subdirectory({top})" not in built:
            faults.append(f"{room}: not built")


def check_sources_are_built(project, faults):
    """A .cpp that no CMakeLists.txt names is dead."""
    for folder in ["base", "wire", "auth", "registry", "twin", "hub", "store", "blob", "jobs", "service", "certs", "broker", "tools", "tests"]:
        for path, _ in files(project, folder, {".cpp"}):
            name = path.rsplit("/", 1)[1]
            parent = project / path
            named = False
            while parent != project:
                parent = parent.parent
                lists = parent / "CMakeLists.txt"
                if lists.is_file() and name in lists.read_text():
                    named = True
                    break
            if not named:
                faults.append(f"{path}: no CMakeLists.txt names it")


def check_sizes(project, faults):
    for folder in [*ALLOWED, "tests"]:
        for path, text in files(project, folder, {".h", ".cpp", ".py", ".js"}):
            lines = text.count("\n")
            if lines > MAX_LINES and path != "broker/well_known.cpp":
                faults.append(f"{path}: {lines} lines; split it by operation or by state (at most {MAX_LINES})")


def check_tests(project, faults):
    for path, text in files(project, "tests", {".cpp"}):
        for number, line in enumerate(text.splitlines(), 1):
            # doctest_discover_tests takes a semicolon for the end of the name, and the case would never run.
            name = re.search(r'(?:TEST_CASE|SCENARIO)(?:_TEMPLATE)?\("((?:[^"\\]|\\.)*)"', line)
            if name and ";" in name[1]:
                faults.append(f"{path}:{number}: a test name must not contain a semicolon")
    # A benchmark looks at its server from outside.
    for path, text in files(project, "tests", {".cpp", ".h", ".py", ".js", ".java"}):
        if path.startswith(("tests/bench/", "tests/layering/")):
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if re.search(r"\bsleep_for\b|\busleep\(|\bsleep\(|setTimeout\(resolve", line):
                faults.append(f"{path}:{number}: tests wait on conditions, they do not sleep")


def check_documents(project, faults):
    titles = {}
    tracked = subprocess.run(["git", "-C", str(project), "ls-files", "*.md"], capture_output=True, text=True, check=False).stdout.split()
    for path in tracked:
        lines = (project / path).read_text(encoding="utf-8").splitlines() if (project / path).is_file() else []
        heads = [line for line in lines if line.startswith("# ")]
        if lines and len([line for line in heads if not in_code(lines, line)]) != 1:
            faults.append(f"{path}: a document has one title")
        # Links within the repository lead somewhere.
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", "\n".join(lines)):
            if not (project / path).parent.joinpath(target).exists():
                faults.append(f"{path}: the link to {target} leads nowhere")
        titles.setdefault(heads[0] if heads else "", []).append(path)


def in_code(lines, line):
    fenced = False
    for each in lines:
        if each.startswith("```"):
            fenced = not fenced
        if each is line:
            return fenced
    return False


def main():
    project = pathlib.Path(sys.argv[1]).resolve()
    faults = []
    for check in (check_includes, check_rooms, check_sources_are_built, check_sizes, check_tests, check_documents):
        check(project, faults)
    print("\n".join(faults) if faults else "the repository keeps its rules")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
