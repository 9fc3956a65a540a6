"""The child that runs the Python files of `handlers/`: it reads questions from stdin and writes answers to stdout, one
JSON object a line, as over the WebSocket. What a file prints goes to stderr, and so to the log.

It ends when its stdin does, as soon as it has answered what it has begun.
"""

import asyncio
import importlib.util
import inspect
import json
import os
import sys
import threading
import traceback
from pathlib import Path
from typing import Any, Final

import msgspec

from app import handles

AT_ONCE: Final = 8
LAST: Final = 30.0  # seconds for what is under way when nobody asks any more

Problem = dict[str, Any]


class Child:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # Whatever a file prints must not come between the lines.
        self.out = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)
        self.writing = threading.Lock()
        self.room = threading.Semaphore(AT_ONCE)

    def run(self) -> int:
        sys.path[:0] = [str(self.folder), str(self.folder / "lib")]
        sys.modules["parley"] = handles
        problems = [problem for path in sources(self.folder) if (problem := self.load(path)) is not None]
        known = {name: handler.again for name, handler in handles.found.items()}
        self.say({"do": "handle", "handlers": known, "problems": problems})
        threads: list[threading.Thread] = []
        for line in sys.stdin:
            question = msgspec.convert(json.loads(line)["question"], handles.Question)
            threads = [thread for thread in threads if thread.is_alive()]
            threads.append(threading.Thread(target=self.answer, args=(question,), daemon=True))
            threads[-1].start()
        for thread in threads:
            thread.join(LAST)
        return 0

    def load(self, path: Path) -> Problem | None:
        """What is wrong with it, if anything is."""
        try:
            spec = importlib.util.spec_from_file_location(path.stem, path)
            assert spec is not None and spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            sys.modules[path.stem] = module
            spec.loader.exec_module(module)
        except BaseException as error:
            return self.problem(error, path)
        return None

    def answer(self, question: handles.Question) -> None:
        with self.room:
            status, body, problem = self.ask(question)
        answer = {"do": "answer", "question": question.id, "status": status, "body": body, "problem": problem}
        try:
            self.say(answer)
        except (TypeError, ValueError) as error:  # what it gave back is no JSON
            told = {"file": "", "line": 0, "text": f"{question.handler} gave back what is no JSON: {error}"}
            self.say(answer | {"status": 500, "body": None, "problem": told})

    def ask(self, question: handles.Question) -> tuple[int, Any, Problem | None]:
        """Status, body, and what went wrong in the file."""
        try:
            given: Any = handles.found[question.handler].function(question)
            if inspect.isawaitable(given):
                given = asyncio.run(waited(given))
            return 200, given, None
        except handles.Refusal as refusal:
            return refusal.status, refusal.body, None
        except BaseException as error:
            return 500, {"error": type(error).__name__}, self.problem(error, self.folder)

    def problem(self, error: BaseException, path: Path) -> Problem:
        """Where it is, in a file of the folder, and what Python says."""
        file, line = path.name, 0
        for frame in traceback.extract_tb(error.__traceback__):
            if Path(frame.filename).is_relative_to(self.folder):
                file, line = str(Path(frame.filename).relative_to(self.folder)), frame.lineno or 0
        if isinstance(error, SyntaxError) and error.filename:
            file, line = Path(error.filename).name, error.lineno or 0
        said = traceback.format_exception_only(error)[-1].strip()
        return {"file": file, "line": line, "text": said[-2000:]}

    def say(self, value: dict[str, Any]) -> None:
        text = json.dumps(value)
        with self.writing:
            self.out.write(text + "\n")
            self.out.flush()


async def waited(given: Any) -> Any:
    return await given


def sources(folder: Path) -> list[Path]:
    """The files that may hold handlers; one that begins with `_` is for the others to import."""
    return sorted(path for path in folder.glob("*.py") if not path.name.startswith("_"))


def main(folder: str) -> int:
    code = Child(Path(folder)).run()
    sys.stderr.flush()
    os._exit(code)  # a thread that never ends does not keep it
