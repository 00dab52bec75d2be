"""What Python scripts share: failures told in one line, with luna's statuses, and outputs that destroy nothing.

    def main():
        parser = command.Parser("convert", __doc__)
        …
        target = command.output(a.output, a.input)  # before any work
        with command.reading(a.input):              # what h5py, torch or json raise becomes a line
            …
        with command.writing(target) as part:
            …

    command.run(main)
"""

import argparse
import contextlib
import os
import subprocess
import sys

USAGE, BAD_INPUT, IO_FAILURE, INTERRUPTED = 64, 65, 74, 130


class Refusal(Exception):
    """What ends a script: one line, and the status."""

    def __init__(self, line, status=BAD_INPUT):
        super().__init__(line)
        self.status = status


class Parser(argparse.ArgumentParser):
    """A parser that keeps the lines of a description, and ends with 64 where the usage is wrong."""

    def __init__(self, prog, description=None):
        super().__init__(prog=prog, description=description, formatter_class=argparse.RawDescriptionHelpFormatter)

    def error(self, message):
        raise Refusal(f"{message}; see --help", USAGE)


def run(main, *arguments):
    """Runs a script's main function, and ends the process with a status."""
    name = os.path.basename(sys.argv[0])
    try:
        main(*arguments)
    except Refusal as refusal:
        line, status = str(refusal), refusal.status
    except ModuleNotFoundError as error:
        line, status = f"needs Python's module {error.name}: {sys.executable} -m pip install {error.name}", 69
    except subprocess.CalledProcessError as error:
        line, status = f"{os.fspath(error.cmd[0])} ended with status {error.returncode}", error.returncode
    except OSError as error:
        line, status = os_line(error.filename or "", error), IO_FAILURE
    except KeyboardInterrupt:
        line, status = "interrupted", INTERRUPTED
    else:
        return
    print(f"{name}: {line}", file=sys.stderr)
    sys.exit(status)


def os_line(path, error):
    return ": ".join(filter(None, [os.fspath(path), error.strerror or first_line(error)]))


def first_line(error):
    """What an exception says first, or its type where it says nothing."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


@contextlib.contextmanager
def reading(path, expected="as expected"):
    """Makes a line of whatever the libraries raise that read a file: they raise anything where it is damaged."""
    if not os.fspath(path):
        raise Refusal("an input's name is empty", USAGE)
    try:
        if os.path.isdir(path):
            raise Refusal(f"{path}: is a directory, expected a file")
        if os.stat(path).st_size == 0 and os.path.isfile(path):
            raise Refusal(f"{path}: is empty")
        yield
    except Refusal:
        raise
    except OSError as error:
        raise Refusal(os_line(path, error)) from error
    except Exception as error:
        said = first_line(error).removeprefix(f"{path}: ")
        raise Refusal(f"{path}: is not {expected}, or damaged: {said}") from error


def output(path, *others):
    """Where to write: links followed, neither an input nor another output, and nothing but a regular file."""
    if not os.fspath(path):
        raise Refusal("the output's name is empty", USAGE)
    target = os.path.realpath(path)
    if os.path.exists(path) and not os.path.isfile(path):
        raise Refusal(f"{path}: is a directory or device, expected a file to write", USAGE)
    for other in others:
        is_same = os.path.exists(path) and os.path.exists(other) and os.path.samefile(path, other)
        if is_same or target == os.path.realpath(other):
            raise Refusal(f"{path}: is {other}, which it would overwrite; name another output", USAGE)
    directory = os.path.dirname(target)
    if not os.path.isdir(directory):
        raise Refusal(f"{path}: there is no directory {directory}", USAGE)
    if not os.access(directory, os.W_OK):
        raise Refusal(f"{path}: the directory {directory} cannot be written", IO_FAILURE)
    return target


@contextlib.contextmanager
def writing(target):
    """The path of a file that takes the target's place when it is complete, and goes away where it is not."""
    part = f"{target}.part-{os.getpid()}"
    try:
        yield part
        os.replace(part, target)
    except OSError as error:
        raise Refusal(os_line(target, error), IO_FAILURE) from error
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.remove(part)
