"""Asks the installed btcli for the help of commands with flags: flags.py [["subnets", "list", "--network", "x"], …]."""

import contextlib
import io
import json
import sys
from importlib.metadata import entry_points

(program,) = entry_points(group="console_scripts", name="btcli")
main = program.load()
results = []
for arguments in json.loads(sys.argv[1]):
    text = io.StringIO()
    sys.argv = ["btcli", *arguments, "--help"]
    with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
        try:
            main()
        except SystemExit as exit:
            text.write(f"\nexit {exit.code or 0}")
    results.append(text.getvalue())

print("RESULT " + json.dumps(results), flush=True)
