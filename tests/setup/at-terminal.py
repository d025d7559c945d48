"""Runs a program at a terminal of its own: python3 at-terminal.py STEPS PROGRAM WORD...

STEPS is a list in JSON of {"wait": pattern, "after": seconds, "send": text, "write": [file, text]}: once the pattern
has come since the last step, and some seconds later, the text is typed or the file written. What the terminal was
shown goes to stdout, the program's exit code is this one's.
"""
import json
import os
import pty
import re
import select
import sys
import time

steps, program = json.loads(sys.argv[1]), sys.argv[2:]
child, terminal = pty.fork()
if child == 0:
    os.execvp(program[0], program)

shown, seen, due = b"", 0, None
while True:
    if select.select([terminal], [], [], 0.1)[0]:
        try:
            shown += os.read(terminal, 65536)
        except OSError:  # Its last process has closed it.
            break
    if not steps:
        continue
    if due is None:
        found = re.search(steps[0]["wait"].encode(), shown[seen:])
        if found:
            seen += found.end()
            due = time.monotonic() + steps[0].get("after", 0)
    elif time.monotonic() >= due:
        step, due = steps.pop(0), None
        if "write" in step:
            with open(step["write"][0], "w") as file:
                file.write(step["write"][1])
        os.write(terminal, step.get("send", "").encode())

sys.stdout.buffer.write(shown)
sys.stdout.flush()
if steps:
    sys.exit(f"It ended before {steps[0]['wait']!r} came.")
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
