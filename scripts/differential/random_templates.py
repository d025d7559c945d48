"""Writes random chat templates and what `transformers` and jinja2 make of them.

    python random_templates.py <seed> <count> <file>      # needs transformers and jinja2

Templates are drawn from a grammar over everything that the engine knows: filters, tests, methods,
operators, slices, loops, macros, blocks, white-space control. Most fail in Python, which is a case, too.
"""

import importlib.util
import json
import random
import sys
import warnings
from pathlib import Path

spec = importlib.util.spec_from_file_location("fixtures", Path(__file__).parent.parent / "fixtures/make-chat-fixtures.py")
fixtures = importlib.util.module_from_spec(spec)
spec.loader.exec_module(fixtures)

VARIABLES = {
    "s": "Hello wörld", "e": "", "sp": "  pad\n", "n": 7, "z": 0, "neg": -3, "f": 2.5, "w": 41.0, "t": True, "fa": False,
    "big": 12345678901234567890, "no": None, "l": [3, 1, 2], "el": [], "ls": ["b", "A", "c"], "tiny": 1e-7, "huge": 1e22,
    "mix": [1, "1", None, True, 1.0], "d": {"b": 1, "a": "x", "c": None, "n": {"k": [1, {"q": "z"}]}}, "ed": {},
    "ld": [{"x": 1, "y": "p"}, {"x": 2, "y": "q"}, {"x": 1, "y": None}], "uni": "naïve ß ﬁ 👍", "ml": "a\n  b\n\nc",
    "fold": "Straße ẞ ﬁ ΣΑΣ İIı ǰ ᾳ Ꭰꭰᏸ", "ends": "a\r\nb\rc\x0bd\x0ce\x1cf\x1dg\x1eh\x85i\u2028j\u2029\n",
    "pct": "100% {x}", "q": "it's \"ok\" \\ <b>&",
}
LITERALS = (
    "0 1 2 -1 3 10 1.5 0.1 -2.0 1e3 '' 'a' 'b_c' \"x\" '\\n' true false none True None [] [1,2] ['a',none] {} {'a':1} (1,2) (1,)"
    " 'l' 'o' 'Hello'"
).split()
FILTERS = """
trim upper lower title capitalize length count first last list string int float abs round sort unique reverse join tojson items
dictsort sum min max indent wordcount select|list default('dd') d('x',true) replace('l','L') replace('a','bb',1) join(',')
join('-','x') sort(reverse=true) map('upper')|list map(attribute='x')|list map('string')|join(',') selectattr('x')|list
selectattr('x','equalto',1)|list rejectattr('y','none')|list select('string')|list reject('none')|list round(1) round(1,'floor')
round(method='ceil') indent(2) indent(2,true) indent(width=3,first=true,blank=true) center(12) int(5) int(base=16) float(1.5)
attr('x') format(1) tojson(indent=2) tojson(ensure_ascii=true) tojson(sort_keys=true) tojson(separators=(',',':'))
sort(attribute='x') unique(attribute='x')|list trim('p') lower|title string|length list|tojson sum(attribute='x') sum(start=10)
max(attribute='x') min(case_sensitive=true) sort(case_sensitive=true) dictsort(by='value') dictsort(reverse=true)
""".split()
METHODS = """
upper() lower() strip() lstrip() rstrip() strip('Hd\\n') lstrip('\\n') rstrip('d') split() split('_') split('l') split('l',1)
rsplit('l',1) splitlines() title() capitalize() startswith('H') endswith('d') replace('l','') replace('l','_',1) find('o')
rfind('o') index('o') count('l') isdigit() isalpha() isupper() islower() isspace() isalnum() swapcase() zfill(8) ljust(8)
rjust(8,'.') center(9) join(['a','b']) keys()|list values()|list items()|list get('a') get('zz','def') get('zz') format(1,2)
removeprefix('He') removesuffix('ld') partition('l') rpartition('l') startswith(('H','e')) copy() append(1) pop()
startswith('l',2) split(none,1) splitlines(true) splitlines(keepends=n) splitlines(false) index(1) count(1)
casefold() casefold()
""".split()
TESTS = [
    "defined", "undefined", "none", "string", "number", "integer", "float", "boolean", "mapping", "iterable", "sequence", "odd",
    "even", "true", "false", "eq 1", "ne 1", "gt 0", "lt 3", "ge 2", "le 2", "in [1,2]", "sameas none", "divisibleby 2",
    "equalto 'a'", "lower", "upper", "callable", "in 'Hello'", "== 7", "not none", "not string",
]
OPERATORS = "+ - * / // % ~ == != < > <= >= and or in ~".split() + ["not in"]
SLICES = "0 -1 1 1: ::-1 :2 -2: 5 1:9:2 :-1 'a' 'x' 'b' 'n' ::2 3:1:-1".split()
BODIES = [
    "{{ loop.index }}", "{{ loop.index0 }}/{{ loop.length }}", "{{ loop.revindex }}{{ loop.last }}", "{{ i }}", "{{ k }}",
    "{{ loop.cycle('o','e') }}", "{{ loop.previtem }}|{{ loop.nextitem }}", "{{ loop.changed(i) }}", "{{ i|tojson }}",
    "{% if loop.index == 2 %}{% break %}{% endif %}", "{% if loop.index0 == 1 %}{% continue %}{% endif %}",
]
WHOLE = [
    "{# note #}", "{#- note -#}", "{%- raw %}{{ x }}{% endraw -%}", "{% raw -%} {% z %} {%- endraw %}",
    "{% set ns = namespace(c=0) %}{% for i in l %}{% set ns.c = ns.c + i %}{% endfor %}{{ ns.c }}",
]


class Draw(random.Random):
    def atom(self):
        return self.choice([*VARIABLES, "undef"]) if self.random() < 0.7 else self.choice(LITERALS)

    def inner(self, depth):
        return f"({self.expression(depth - 1)})" if depth > 1 else self.atom()

    def expression(self, depth):
        if depth <= 0:
            return self.atom()
        inner, one = lambda: self.inner(depth), self.choice
        return one([
            *[lambda: f"{inner()}|{one(FILTERS)}"] * 6, *[lambda: f"{inner()}.{one(METHODS)}"] * 4,
            *[lambda: f"{inner()} {one(OPERATORS)} {inner()}"] * 3, *[lambda: f"({inner()} is {one(TESTS)})"] * 2,
            lambda: f"{inner()}[{one([*SLICES, self.atom()])}]", lambda: f"{inner()}.{one(['a', 'b', 'n', 'x', 'k', 'zz'])}",
            lambda: f"({inner()} if {inner()} else {inner()})", lambda: f"not {inner()}", lambda: f"-{inner()}",
            lambda: f"[{inner()}, {inner()}]", lambda: "{" + f"{one(['1', 'true', repr('a')])}: {inner()}" + "}",
            lambda: "'%s-%d %5.2f|%-6s|%r|%03d|%x' % (s, n, f, s, s, n, n)", lambda: f"'%s' % {inner()}", lambda: f"'%{self.floating()}|%{self.whole()}' % ({inner()}, {inner()})",
            lambda: f"'%{self.floating()}' % {self.number()}", lambda: f"range({one('3 1,5 5,1,-2 n'.split())})|list",
        ])()

    def floating(self):
        precision = self.choice(["", "", ".0", ".1", ".3", ".17", ".40", ".120"])
        return self.choice(["", "", "-", "+", " ", "0", "+0"]) + self.choice(["", "", "9", "30"]) + precision + self.choice("eEfFgG")

    def whole(self):
        return self.choice(["", "-", "+", " ", "0"]) + self.choice(["", "6"]) + self.choice(["", "", ".0", ".4"]) + self.choice("diuxXo")

    def number(self):
        """A float of any size, an exact half of some decimal, or one beside a power of ten."""
        kind = self.random()
        if kind < 0.4:
            return repr(self.uniform(-10, 10) * 10.0 ** self.randrange(-300, 300))
        if kind < 0.7:
            return repr(self.randrange(-4000, 4000) / 2 ** self.randrange(0, 12))
        if kind < 0.9:
            return repr(float(f"1e{self.randrange(-320, 308)}") * self.choice([1, 1, 0.9999999999999999, 5]))
        return repr(self.randrange(-10 ** self.randrange(1, 320), 10 ** self.randrange(1, 320)))

    def space(self):
        return self.choice(["", " ", "\n", "  \n", "\n  ", "\t", "x", "x\n", "\n\n", "y "])

    def tag(self, text):
        return "{%" + self.choice(["", "", "", "-", "+"]) + f" {text} " + self.choice(["", "", "", "-", "+"]) + "%}"

    def printed(self):
        return "{{" + self.choice(["", "", "-"]) + f" {self.expression(self.choice([1, 2, 2, 3]))} " + self.choice(["", "", "-"]) + "}}"

    def loop(self, depth):
        names, value = self.choice([("i", self.choice(["l", "ls", "ld", "s", "mix", "d", "el", "ml.split('\\n')", "undef"])), ("k, v", "d.items()"), ("i, j", "[(1,2),(3,4)]")])
        rest = self.tag("else") + "none" if self.random() < 0.2 else ""
        return self.tag(f"for {names} in {value}") + self.space() + self.choice(BODIES) + self.statement(depth - 1) + rest + self.tag("endfor")

    def statement(self, depth=2):
        if depth <= 0:
            return self.space() + self.printed() + self.space()
        tag, body = self.tag, lambda: self.statement(depth - 1)
        return self.space() + self.choice([
            *[self.printed] * 4, *[lambda: self.loop(depth)] * 2,
            *[lambda: tag(f"if {self.expression(2)}") + body() + tag("else") + body() + tag("endif")] * 2,
            lambda: tag(f"set x = {self.expression(2)}") + self.space() + "{{ x }}", lambda: self.choice(WHOLE),
            lambda: tag("set x") + body() + tag("endset") + "[{{ x }}]",
            lambda: tag("macro m(a, b='q')") + "{{ a }}{{ b }}" + body() + tag("endmacro") + "{{ m(" + self.expression(1) + ") }}{{ m(1, b=2) }}",
            lambda: tag(f"with x = {self.expression(1)}") + "{{ x }}" + tag("endwith"),
        ])() + self.space()


def main():
    seed, count, target = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    warnings.simplefilter("ignore")
    fixtures.chat_template_utils.datetime = fixtures.FixedClock
    draw, variables = Draw(seed), json.dumps(VARIABLES, ensure_ascii=False)
    templates = ["".join(draw.statement() for _ in range(draw.randrange(1, 3))) for _ in range(count)]
    cases = [{"template": template, **fixtures.render(template, variables)} for template in templates]
    Path(target).write_text(json.dumps({"variables": variables, "cases": cases}), encoding="utf8")
    print(f"{count} templates, of which Python renders {sum(case['text'] is not None for case in cases)}")


if __name__ == "__main__":
    main()
