"""Renders Jinja constructs and chat templates with `transformers` and writes what comes out as fixtures.

    python scripts/make-chat-fixtures.py            # needs transformers and jinja2

Reads tests/parity/fixtures/chat/{constructs,chats}.json and the templates beside them, and writes
`expected.json`: the text, or null where Python refuses, and the spans of `{% generation %}` blocks.
The clock of `strftime_now` is fixed. Variables are kept as JSON text, so that 41.0 stays a float.
"""

import json
from datetime import datetime
from pathlib import Path

import jinja2
import transformers
from transformers.utils import chat_template_utils

FOLDER = Path(__file__).parent.parent / "tests/parity/fixtures/chat"


class FixedClock(datetime):
    @classmethod
    def now(cls, tz=None):
        return cls(2026, 3, 7, 9, 5, 2)


def render(template, variables):
    variables = json.loads(variables)
    messages = variables.pop("messages", [{"role": "user", "content": "hi"}])
    marked = "generation" in template and "endgeneration" in template
    try:
        texts, spans = chat_template_utils.render_jinja_template(
            conversations=[messages],
            chat_template=template,
            return_assistant_tokens_mask=marked,
            **variables,
        )
    except Exception as error:  # whatever Python says, the template has no text
        return {"text": None, "error": f"{type(error).__name__}: {error}".splitlines()[0]}
    return {"text": texts[0], **({"spans": spans[0]} if marked else {})}


def main():
    chat_template_utils.datetime = FixedClock
    constructs = json.loads((FOLDER / "constructs.json").read_text())
    variables = json.dumps(constructs["variables"], ensure_ascii=False)
    chats = json.loads((FOLDER / "chats.json").read_text())
    templates = {path.stem: path.read_text() for path in sorted(FOLDER.glob("*.jinja"))}
    expected = {
        "made_with": {"transformers": transformers.__version__, "jinja2": jinja2.__version__},
        "variables": variables,
        "constructs": [
            {"template": template, **render(template, variables)}
            for group in constructs["groups"].values()
            for template in group
        ],
        "chats": [
            {"template": name, "chat": chat, "variables": text, **render(template, text)}
            for name, template in templates.items()
            for chat, value in chats.items()
            for text in [json.dumps(value, ensure_ascii=False)]
        ],
    }
    (FOLDER / "expected.json").write_text(json.dumps(expected, ensure_ascii=False, indent=1) + "\n")
    refused = [c["template"] for c in expected["constructs"] if c["text"] is None]
    print(f"{len(expected['constructs'])} constructs ({len(refused)} refused), {len(expected['chats'])} chats")


if __name__ == "__main__":
    main()
