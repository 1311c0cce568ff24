"""Do the default settings loop? 50 prompts x 200 tokens; at most 2 % may repeat an 8-gram three times.

    python bench/loops.py [--model smollm2] [--english PATH] [--chinese PATH] [--set temperature=0.8] ... [--json]

The defaults were chosen on the prompts below, so a text given with --english or --chinese is the fairer test: its
paragraphs, evenly spread, give their first words as prompts. Then the same paragraphs also show what the settings
against loops would do to a human text: the share of its tokens that DRY would have made less likely.
There is no peer: the ratio is the goal of 2 % over what was found, each plus one text.
"""

import time
from collections import Counter
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from common import Row, parser, read_text, report, say

from daneel.evaluate.paragraphs import paragraphs
from daneel.generate.dry import dry_penalties
from daneel.generate.sampling import Sampling
from daneel.lm.base import Generation, LanguageModel, Request
from daneel.lm.load import load

SIZE, TIMES, GOAL = 8, 3, 0.02
TEXTS = 50
# A paragraph that gives a prompt has this many characters at least; Chinese prompts have 15, English 12 words.
ENOUGH = {"english": 400, "chinese": 150}
LANGUAGES = {"smollm2": ("english",), "gemma3": ("english", "chinese")}

ENGLISH = """\
The year is 2042. AI has advanced to the point where
The lighthouse had been dark for eleven years when
"You are not supposed to be here," said the robot, and
My grandmother kept a jar of seawater on the shelf because
Dear Mr. Hartley, I am writing to complain about
The recipe begins with four onions and a great deal of patience.
Captain Osei read the message twice before she
On the third day of the strike, the trams
It was raining in the city of glass, and
The committee has considered the proposal and finds
Chapter One. I was born in a town that no longer exists.
To repair a bicycle puncture, first
The history of the potato in Europe begins
Scientists announced on Tuesday that
He had never believed in ghosts until
The old man sold maps of places that
Once upon a time, in a kingdom without clocks,
The three most common mistakes in chess are
She opened the box. Inside was
Nobody in the village spoke of the summer when
The ship's log, day 212:
A cat, a fiddle and a broken promise:
If the moon were to vanish tonight,
Q: Why is the sky blue? A:
The trial lasted nine weeks. The judge
Our hotel stands at the edge of the desert, where
In the last minute of the match,
The teacher drew a circle on the board and asked
I have lived alone on this island since
The machine had one button, and under it was written
Among the letters found in the attic was one that
The river had changed its course, so
Today we will learn how bees
The murderer, as everyone knew, was
For sale: a house with seven doors.
Before the war, the orchestra
The first colony on Mars failed because
There are two kinds of people who collect stamps.
It is a truth universally acknowledged, that
The price of bread rose again, and
"Tell me about the stars," she said.
The following instructions must be read before
Winter came early to the valley;
He counted the coins again. Seventeen.
The philosopher argues that memory
At the border, the guard looked at my passport and
The garden robots had begun to sing.
When the last whale died,
A short guide to growing tomatoes:
The train left at midnight with"""

CHINESE = """\
公元2042年，人工智能已经发展到
灯塔已经熄灭十一年了，直到
“你不该在这里。”机器人说，
祖母在架子上放着一罐海水，因为
尊敬的先生，我写信是为了
这道菜先要准备四个洋葱，
船长把那条消息读了两遍，然后
罢工的第三天，城里的电车
玻璃城里下着雨，
委员会审议了这项提案，认为
我出生在一个已经不存在的小镇。
修理自行车轮胎，首先
土豆传入中国的历史，
科学家星期二宣布，
他从来不相信鬼，直到
老人卖的是地图，图上的地方
很久很久以前，在一个没有钟表的国家，
下棋时最常见的三个错误是
她打开盒子，里面是
村里没有人再提起那个夏天，
航海日志，第二百一十二天：
如果今晚月亮消失了，
问：天空为什么是蓝色的？答：
审判持续了九个星期。法官
我们的旅馆在沙漠的边缘，
比赛的最后一分钟，
老师在黑板上画了一个圆，问
我独自住在这个岛上，
那台机器只有一个按钮，下面写着
阁楼里找到的信中，有一封
河流改了道，于是
今天我们来学习蜜蜂怎样
凶手是谁，大家都知道，
出售：一栋有七扇门的房子。
战争以前，那个乐团
火星上的第一个殖民地失败了，因为
集邮的人有两种。
春天来得很早，山谷里
面包又涨价了，
“给我讲讲星星吧。”她说。
使用之前，请仔细阅读
他又数了一遍硬币，一共十七枚。
哲学家认为，记忆
在边境，卫兵看了看我的护照，
花园里的机器人开始唱歌了。
最后一头鲸死去的时候，
种西红柿的简短指南：
午夜的火车载着
北京的秋天，
《红楼梦》是一部"""


@dataclass(frozen=True)
class Prompts:
    """What is continued, and what people continued it with, if that is known."""

    source: str
    prompts: list[str]
    passages: list[str]


def openings(path: Path, language: str) -> Prompts:
    """The first words of paragraphs of a text, evenly spread, and the text from there on."""
    text = read_text(path)
    begin, places = 0, []
    for paragraph in paragraphs(text):
        if len(paragraph) >= ENOUGH[language]:
            places.append(begin)
        begin += len(paragraph)
    places = places[:: max(1, len(places) // TEXTS)][:TEXTS]
    passages = [text[place : place + 2000] for place in places]
    if language == "chinese":
        return Prompts(path.name, [passage[:15] for passage in passages], passages)
    return Prompts(path.name, [" ".join(passage.split()[:12]) for passage in passages], passages)


def loops(units: list[Any]) -> bool:
    """Whether any run of eight units stands three times in a text."""
    runs = Counter(tuple(units[i : i + SIZE]) for i in range(len(units) - SIZE + 1))
    return any(count >= TIMES for count in runs.values())


def penalised(ids: list[int], sampling: Sampling) -> int:
    """How many tokens of a human text DRY would have made less likely."""
    settings = (sampling.dry_multiplier, sampling.dry_base, sampling.dry_allowed_length)
    return sum(ids[i] in dry_penalties(ids[:i], {}, *settings) for i in range(1, len(ids)))


def measure(model: LanguageModel, language: str, given: Prompts, sampling: Sampling, tokens: int) -> Row:
    """One row: the share of texts that loop."""
    began = time.perf_counter()
    requests = [Request(prompt, seed) for seed, prompt in enumerate(given.prompts, start=1)]
    answers = model.complete(requests, Generation(tokens, sampling))
    seconds = time.perf_counter() - began
    looping = sum(loops([sampled.token for sampled in answer.tokens]) for answer in answers)
    written = sum(len(answer.tokens) for answer in answers)
    row = {
        "model": model.name, "language": language, "prompts": given.source, "texts": len(answers),
        "loop": looping, "share": f"{looping / len(answers):.0%}",
        "mean tokens": round(written / len(answers), 1), "tokens/s": round(written / seconds, 1),
    }  # fmt: skip
    if given.passages:
        human = [model.encode(passage)[:tokens] for passage in given.passages]
        row["human texts that loop"] = sum(map(loops, human))
        share = sum(penalised(ids, sampling) for ids in human) / sum(map(len, human))
        row["human tokens under DRY"] = f"{share:.2%}"
    return row


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--model", action="append", choices=list(LANGUAGES), help="both if not given")
    arguments.add_argument("--english", type=Path, help="a .txt file or a folder to take prompts from")
    arguments.add_argument("--chinese", type=Path, help="a .txt file or a folder to take prompts from")
    arguments.add_argument("--tokens", type=int, default=200)
    arguments.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of Sampling")
    args = arguments.parse_args()
    kinds = {field.name: type(getattr(Sampling(), field.name)) for field in fields(Sampling)}
    changes = dict(pair.split("=", 1) for pair in args.set)
    sampling = Sampling(**{name: kinds[name](value) for name, value in changes.items()})
    chosen = {
        "english": Prompts("chosen on", ENGLISH.splitlines(), []),
        "chinese": Prompts("chosen on", CHINESE.splitlines(), []),
    }
    rows = []
    for name in args.model or LANGUAGES:
        model = load(name, "auto")
        for language in LANGUAGES[name]:
            path = getattr(args, language)
            given = openings(path, language) if path else chosen[language]
            rows.append(measure(model, language, given, sampling, args.tokens))
            say(str(rows[-1]))
    # Over all texts of the run, so that one text more or less is a step, not a division by zero.
    ratio = (GOAL * sum(row["texts"] for row in rows) + 1) / (sum(row["loop"] for row in rows) + 1)
    report(rows, {"loops_vs_goal": ratio}, ("torch",), args.json)


if __name__ == "__main__":
    main()
