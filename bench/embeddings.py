"""Does taking the mean and the first principal directions off input embeddings help to find related words?

For pairs of related words (antonyms, members of one class, synonyms; written for this project), each word asks for its
neighbours, and the rank of the other among all tokens is noted: the mean of 1/rank (MRR) and the share of the first
ten. Variants in case and space count once. Only pairs whose words are single tokens are asked. No peer: it decides a
default of `daneel embeddings near`.
"""

import random

import numpy as np
from common import parser, pulled, report, say

from daneel.interpret.embeddings import Correction, Embeddings, Word

PAIRS = {
    "en": """robot android, planet moon, ship boat, king queen, doctor nurse, river lake, winter summer, Monday Friday,
January March, red blue, dog cat, horse cow, bread butter, coffee tea, happy glad, sad angry, big large, small tiny,
fast quick, begin start, end finish, buy sell, hot cold, day night, brother sister, mother father, son daughter,
teacher student, school university, car truck, train bus, airport plane, soldier army, gun rifle, knife sword,
gold silver, iron steel, rain snow, north south, east west, left right, five six, hundred thousand, hand finger,
eye ear, mouth nose, arm leg, blood heart, bed chair, door window, roof wall, street road, city town, village farm,
island ocean, mountain valley, forest tree, flower garden, apple orange, milk cheese, fish meat, music song,
book novel, writer author, poem poetry, film movie, actor actress, judge lawyer, crime murder, church priest,
god religion, France Germany, London Paris, China Japan, English French, euro dollar, star galaxy, rocket missile,
energy power, electron atom, cell protein, virus bacteria, computer software, internet website, phone mobile,
email message, question answer, love hate, war peace, birth death, truth lie, buy purchase, speak talk, look see,
run walk, eat drink, sing dance, write read, think believe, hope wish, help assist, quickly rapidly, always never,
maybe perhaps, however nevertheless""",
    "zh": """国王 女王, 医生 护士, 河流 湖泊, 冬天 夏天, 星期一 星期五, 红色 蓝色, 狗 猫, 马 牛, 咖啡 茶, 高兴 快乐,
悲伤 愤怒, 大 小, 快速 迅速, 开始 结束, 买 卖, 热 冷, 白天 夜晚, 哥哥 姐姐, 母亲 父亲, 儿子 女儿, 老师 学生,
学校 大学, 汽车 卡车, 火车 飞机, 士兵 军队, 刀 剑, 金 银, 铁 钢, 雨 雪, 南 北, 东 西, 左 右, 五 六, 百 千, 手 脚,
眼睛 耳朵, 嘴 鼻, 床 椅, 门 窗, 城市 农村, 山 水, 森林 树木, 花 草, 苹果 香蕉, 牛奶 鸡蛋, 鱼 肉, 音乐 歌曲,
小说 诗歌, 电影 电视, 律师 法官, 法国 德国, 伦敦 巴黎, 中国 日本, 英语 法语, 能源 电力, 细胞 蛋白, 病毒 细菌,
电脑 手机, 问题 答案, 爱 恨, 战争 和平, 死亡 生命, 说 讲, 看 听, 走 跑, 吃 喝, 写 读, 希望 愿望, 帮助 协助,
也许 可能, 但是 然而""",
}
DEPTH = 200
"""Ranks beyond count as never."""
COMPONENTS = (0, 1, 2, 3, 6)
"""d/100, the paper's rule, is 6 for both models."""
DRAWS = 2000


def known(model: Embeddings, language: str) -> list[tuple[Word, Word]]:
    """The pairs whose words are one token each."""
    pairs = [pair.split() for pair in PAIRS[language].split(",")]
    read = [(model.word(one), model.word(other)) for one, other in pairs]
    return [(one, other) for one, other in read if len(one.ids) == len(other.ids) == 1]


def measure(model: Embeddings, pairs: list[tuple[Word, Word]], correction: Correction) -> dict[str, float]:
    """MRR, share of ranks up to 10, and 95 % of the bootstrap over pairs for MRR."""
    asked = [one for one, _ in pairs] + [other for _, other in pairs]
    wanted = [other for _, other in pairs] + [one for one, _ in pairs]
    lists = model.neighbours(asked, correction, DEPTH)
    gains = []
    for word, near in zip(wanted, lists, strict=True):
        names = [each.text.casefold() for each in near]
        rank = names.index(word.text.casefold()) + 1 if word.text.casefold() in names else 0
        gains.append(1 / rank if rank else 0.0)
    by_pair = [(gains[i] + gains[i + len(pairs)]) / 2 for i in range(len(pairs))]
    draw = random.Random(0)
    means = sorted(sum(draw.choices(by_pair, k=len(by_pair))) / len(by_pair) for _ in range(DRAWS))
    units = correction.units(model.vectors(asked))
    cosines = units @ units.T
    np.fill_diagonal(cosines, -np.inf)
    partner = np.roll(np.arange(len(asked)), len(pairs))
    among = 1 + (cosines > cosines[np.arange(len(asked)), partner][:, None]).sum(axis=1)
    return {
        "mrr": round(sum(gains) / len(gains), 3),
        "low": round(means[int(0.025 * DRAWS)], 3),
        "high": round(means[int(0.975 * DRAWS)], 3),
        "in_ten": round(sum(gain >= 0.1 for gain in gains) / len(gains), 3),
        "mrr_among_pairs": round(float((1 / among).mean()), 3),
    }


def main() -> None:
    """Every model at hand, its languages, every correction."""
    as_json = parser(__doc__).parse_args().json
    rows = []
    for name, languages in (("smollm2", ["en"]), ("gemma3", ["en", "zh"])):
        if pulled(name) is None:
            continue
        model = Embeddings(name)
        corrections = {"raw": model.none()} | {f"mean and {n} directions": model.correction(n) for n in COMPONENTS}
        for language in languages:
            pairs = known(model, language)
            for label, correction in corrections.items():
                rows.append({"model": name, "language": language, "pairs": len(pairs), "removed": label})
                rows[-1] |= measure(model, pairs, correction)
                say(str(rows[-1]))
    report(rows, {}, ("numpy",), as_json)


if __name__ == "__main__":
    main()
