"""What the town's officers write beside the items of a checklist: standard phrases of the office, and remarks in their own words."""

from __future__ import annotations

from random import Random

STANDARD = (
    "现场检查未发现异常，符合要求。",
    "药品陈列整齐，分类标识清楚，符合要求。",
    "温湿度记录完整，数据连续，符合要求。",
    "从业人员健康证明齐全并在有效期内。",
    "购进验收记录齐全，票账货相符。",
    "处方药销售登记完整，未见违规销售。",
)
_WHERE = (
    "进门左手第{n}节柜台", "靠窗的{n}号货架", "收银台后面的抽屉", "二楼库房第{n}排", "冷藏柜第{n}层", "中药斗柜第{n}列", "退货区的纸箱旁",
    "橱窗内侧第{n}格", "阴凉库{n}号位", "楼梯拐角的临时货架", "诊疗台旁的玻璃柜", "门口促销堆头", "北墙第{n}组货柜", "后院待验区",
)  # fmt: skip
_WHAT = (
    "{p}有{n}盒外包装受潮", "{p}的价签与实物差{n}元", "{p}缺少批号为{b}的随货同行单", "温度计读数{t}度，比记录高{n}度",
    "{p}{n}瓶与保健食品混放", "一张{m}月的处方没有药师签名", "{p}距有效期只剩{n}天没有标示", "灭火器压力偏低，旁边堆了{n}箱{p}",
    "养护记录{m}月缺了{n}天", "{p}拆零后没有写拆零日期", "湿度{h}%，除湿机没有开", "查到{n}支{p}的追溯码扫不出来", "{p}的说明书少了{n}份",
    "店员把{p}放在了阳光能晒到的地方", "{p}库存比账上多{n}盒", "销售小票{n}张没有批号",
)  # fmt: skip
_THEN = (
    "当场挪开并重新摆放", "店长说供货商{n}号来换", "已拍照，约定{m}月再来看", "让店员补写了登记", "老板娘打电话问了上家",
    "药师到场后补签并说明了缘由", "要求{n}天内把整改照片送到工作站", "封存{n}盒等结果", "当面教了新来的店员怎样填", "换了电池之后恢复正常",
    "口头提醒，店家表示理解", "同意把那节柜子腾出来专放", "现场打开除湿机，半小时后降到{h}%", "把台账翻到{m}月核对无误",
)  # fmt: skip
_ASIDE = (
    "当天下小雨，店里顾客不多。", "检查时有{n}位顾客在等候。", "店里正在装修，东侧拉了围挡。", "店主刚进货回来。",
    "新招的店员第{n}天上班。", "冰柜上个月刚换过压缩机。", "门牌已经换成新的。", "", "", "",
)  # fmt: skip
_PRODUCTS = (
    "感冒颗粒",
    "维生素片",
    "止咳糖浆",
    "创可贴",
    "体温计",
    "益气丸",
    "滴眼液",
    "驱风油",
    "血压计",
    "阿胶块",
    "退热贴",
    "板蓝根",
    "藿香正气水",
)


def own_words(rng: Random) -> str:
    """A remark that an officer makes at one place, of what was seen there."""

    def fill(words: str) -> str:
        return words.format(
            n=rng.randint(2, 29),
            p=f"样例{rng.choice(_PRODUCTS)}",
            b=f"{rng.choice('ABCDEFGH')}{rng.randint(10, 99)}",
            t=rng.randint(21, 31),
            m=rng.randint(1, 12),
            h=rng.randint(58, 83),
        )

    seen = rng.sample(_WHAT, 2)
    parts = (rng.choice(_WHERE), seen[0], rng.choice(_THEN))
    more = (rng.choice(_WHERE), seen[1], rng.choice(_THEN))
    return (
        f"{fill(parts[0])}，{fill(parts[1])}，{fill(parts[2])}；{fill(more[0])}{fill(more[1])}，{fill(more[2])}。{fill(rng.choice(_ASIDE))}"
    )


def standard(rng: Random) -> str:
    """A phrase that everybody of the office uses."""
    return rng.choice(STANDARD)
