"""Who speaks: results on standard output, notices and refusals on standard error, and how a run ends."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import click

from . import terminal
from .tables import Issue
from .terminal import Named, Voice, console

BROKEN, INVALID, UNPUBLISHABLE = 1, 2, 3
INTERRUPTED, UNHEARD = 130, 141  # as a shell says of SIGINT and SIGPIPE


@dataclass(frozen=True)
class Speaker:
    """Who speaks on standard output, who on standard error."""

    out: Voice
    err: Voice

    @classmethod
    def of(cls, lang: str) -> Speaker:
        """Speakers of a language or of both."""
        return cls(Voice(lang, console()), Voice(lang, console(sys.stderr)))

    def stop(self, status: int, code: str, /, **numbers: object) -> NoReturn:
        """Say why on standard error, and end."""
        self.err.say(code, "", **numbers)
        raise click.exceptions.Exit(status)

    def refuse(self, issues: list[Issue]) -> NoReturn:
        """List every issue on standard error, and end: nothing is written."""
        terminal.issues(self.err, issues)
        errors = sum(issue.severity == "error" for issue in issues)
        self.stop(INVALID, "not_written", errors=errors)

    @contextmanager
    def minding(self, path: Path, code: str = "unreadable") -> Iterator[None]:
        """End with a sentence where a file or folder cannot be read (or written)."""
        try:
            yield
        except BrokenPipeError:
            raise  # nobody listens any more; no file is to blame
        except OSError as error:
            self.stop(INVALID, code, path=error.filename or path, why=cause(error))


def cause(error: OSError) -> Named:
    """What the operating system objects to, as a code that has a name in both languages."""
    return Named("os", errno.errorcode.get(error.errno or 0, "other"))


class Program(click.Group):
    """Commands that end with a sentence when interrupted, and in silence when nobody listens.

    What is wrong with the command line is said in Chinese, before it is in English.
    """

    def invoke(self, ctx: click.Context) -> object:
        """Run the command that was asked for, to its last line."""
        try:
            done: object = super().invoke(ctx)
            sys.stdout.flush()
        except click.exceptions.NoArgsIsHelpError:
            raise
        except click.UsageError as error:
            code, numbers = _said_of(error)
            Speaker.of("zh").err.say(code, "", **numbers)
            raise
        except KeyboardInterrupt:
            Speaker.of("both").stop(INTERRUPTED, "interrupted")
        except BrokenPipeError:
            _close()
            raise click.exceptions.Exit(UNHEARD) from None
        except OSError as error:
            _close()
            Speaker.of("both").stop(INVALID, "unspoken", why=cause(error))
        return done


def _said_of(error: click.UsageError) -> tuple[str, dict[str, object]]:
    """The notice that tells what is wrong with a command line, and its numbers."""
    if isinstance(error, click.NoSuchOption):
        return "option_unknown", {"option": error.option_name}
    if isinstance(error, click.BadParameter) and error.param is not None:
        code = "option_missing" if isinstance(error, click.MissingParameter) else "option_wrong"
        named = isinstance(error.param, click.Option)
        return code, {"option": error.param.opts[0] if named else error.param.human_readable_name}
    return "usage_wrong", {}


def _close() -> None:
    """Let standard output lead nowhere, so that what it still holds does no harm."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
